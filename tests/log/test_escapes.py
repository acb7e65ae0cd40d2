import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vastflow.log import escape, escape_controls

UNSAFE = [
    chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xD800)
]


def escaped(**event: Any) -> dict[str, Any]:
    return dict(escape_controls(None, "info", event))


@pytest.mark.promise("12.5")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, grüß dich, 漢字, 👩‍🚀", "plain, grüß dich, 漢字, 👩‍🚀"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("one\ntwo\r\tthree", "one\\ntwo\\r\\tthree"),
        ("bell\x07 del\x7f nul\x00", "bell\\x07 del\\x7f nul\\x00"),
        ("csi \x9b2J", "csi \\x9b2J"),
        ("invoice\u202efdp.exe", "invoice\\u202efdp.exe"),
        ("\u2066isolated\u2069", "\\u2066isolated\\u2069"),
        ("half \ud800 pair", "half \\ud800 pair"),
        ("line\u2028break", "line\\u2028break"),
        ("C:\\new", "C:\\new"),
    ],
)
def test_control_characters_are_shown_and_everything_else_is_left(text: str, shown: str) -> None:
    assert escape(text) == shown


@pytest.mark.promise("12.5")
@given(st.text(st.characters() | st.sampled_from(UNSAFE)))
def test_no_text_keeps_a_control_character_and_escaping_twice_changes_nothing(text: str) -> None:
    shown = escape(text)

    assert not set(UNSAFE) & set(shown)
    assert shown.encode().decode() == shown
    assert escape(shown) == shown


@pytest.mark.promise("12.5")
def test_names_and_values_of_an_event_are_escaped_however_deep_they_lie() -> None:
    event = escaped(event="a\nb", answer={"na\x1bme": ["x\x07", ("y\u202e",)]}, **{"k\ney": 1})

    assert event == {"event": "a\\nb", "answer": {"na\\x1bme": ["x\\x07", ("y\\u202e",)]}, "k\\ney": 1}


def test_a_traceback_keeps_its_lines() -> None:
    event = escaped(event="broke", exception="Traceback:\n  bad \x1b[2J\nValueError")

    assert event["exception"] == "Traceback:\n  bad \\x1b[2J\nValueError"


def test_harmless_objects_are_left_to_the_renderer_and_others_told_safely() -> None:
    class Forger:
        def __repr__(self) -> str:
            return "<forged\nline>"

    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    class ForgedError(Exception):
        __repr__ = Forger.__repr__

    error = ForgedError()
    harmless = object()
    event = escaped(event="x", forged=Forger(), broken=Broken(), harmless=harmless, exc_info=error)

    assert event["forged"] == "<forged\\nline>"
    assert event["broken"].endswith("Broken: its repr failed>")
    assert event["harmless"] is harmless
    assert event["exc_info"] is error


def test_the_users_own_objects_are_not_changed() -> None:
    answer = {"lines": ["a\nb"]}

    escaped(event="x", answer=answer)

    assert answer == {"lines": ["a\nb"]}


def test_what_has_no_word_in_json_becomes_text() -> None:
    event = escaped(event="x", share=math.nan, most=math.inf, table={1: "one", None: 2.5})

    assert json.loads(json.dumps(event, allow_nan=False)) == {
        "event": "x",
        "share": "nan",
        "most": "inf",
        "table": {"1": "one", "None": 2.5},
    }


def test_a_value_that_holds_itself_ends() -> None:
    ring: list[Any] = []
    ring.append(ring)

    assert escaped(event="x", ring=ring)["event"] == "x"
