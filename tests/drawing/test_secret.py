"""Does a Secret keep its text to itself, wherever it is shown, and give it where it is asked?"""

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pprint import pformat
from typing import Any, TypedDict

import pytest

from tests.drawing.kinds import Login
from tests.drawing.streams import drawn
from vastflow.drawing import Headwaters, River, Secret, later, lay, storable
from vastflow.drawing.values import decode, encode, is_secret
from vastflow.errors import StoreUnreadable, UnstorableValue, WaterTypeError

TEXT = "s3cr3t-of-17"


class Access(TypedDict):
    user: str
    password: Secret


class Water(Headwaters):
    image: str = "debian"
    password: Secret = later()
    more: list[Secret | None] = later()
    access: Access = later()
    login: Login = later()


class Ask(River):
    password: Secret
    login: Login | None = None
    name = "ask-{password}"

    def flow(self, water: Water) -> None:
        """Ask."""


@storable
@dataclass
class Strict:
    password: Secret

    def __post_init__(self) -> None:
        if len(self.password.reveal()) > 5:
            raise ValueError(f"{self.password.reveal()} is too long")


@pytest.mark.promise("12.5")
def test_only_reveal_gives_the_text() -> None:
    assert Secret(TEXT).reveal() == TEXT


SHOWN: dict[str, Callable[[Secret], str]] = {
    "repr": repr,
    "str": str,
    "format": format,
    "padded": "{:>30}".format,
    "percent": "%s".__mod__,
    "pretty": pformat,
    "in a list": lambda it: f"{[it]}",
    "in a dataclass": lambda it: f"{Login('a', it)}",
    "as a mapping": lambda it: f"{asdict(Login('a', it))}",
    "in water": lambda it: repr(Headwaters(any=it)),
    "as a parameter": lambda it: repr(Ask(it, Login("a", it))),
    "as JSON": lambda it: json.dumps({"a": it}, default=str),
    "logged": lambda it: logging.LogRecord("x", 20, "", 1, "%s %r", (it, [it]), None).getMessage(),
}


@pytest.mark.promise("12.5")
@pytest.mark.parametrize("way", SHOWN)
def test_wherever_it_is_shown_the_text_is_not(way: str) -> None:
    told = SHOWN[way](Secret(TEXT))

    assert TEXT not in told
    assert "Secret('*****')" in told


@pytest.mark.promise("12.5")
def test_a_traceback_with_local_variables_does_not_show_it() -> None:
    def refuse(password: Secret) -> None:
        raise KeyError(password)

    with pytest.raises(KeyError) as refused:
        refuse(Secret(TEXT))

    told = "".join(traceback.TracebackException.from_exception(refused.value, capture_locals=True).format())
    assert "password = Secret('*****')" in told
    assert "KeyError: Secret('*****')" in told


@pytest.mark.promise("12.5")
def test_secrets_are_equal_by_their_texts_and_never_to_a_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert {Secret("a"): 1}[Secret("a")] == 1
    assert len({Secret("a"), Secret("b"), "a"}) == 3


@pytest.mark.parametrize("text", [None, 17, b"a", ["a"], Secret("a")])
def test_what_is_no_text_is_refused_and_not_shown(text: Any) -> None:
    with pytest.raises(TypeError, match=r"Secret\(\.\.\.\) was given a \w+, it wraps a text: write Secret\(str\("):
        Secret(text)


def test_it_cannot_be_changed_and_needs_no_copy() -> None:
    secret: Any = Secret("a")

    with pytest.raises(AttributeError, match="does not change"):
        secret.text = "b"
    with pytest.raises(AttributeError, match="does not change"):
        del secret.reveal
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret
    assert not hasattr(secret, "__dict__")


@pytest.mark.promise("12.5")
def test_it_is_not_pickled() -> None:
    with pytest.raises(TypeError, match=r"a Secret is not pickled: hand over what reveal\(\) returns"):
        pickle.dumps([Secret(TEXT)])


@pytest.mark.promise("12.5", "5.3")
def test_it_can_be_stored_in_the_water_alone_and_inside_of_other_values() -> None:
    secret = Secret(TEXT)
    water = Water(password=secret, more=[secret, None], access={"user": "a", "password": secret})
    water.login = Login("a", secret)

    opened = Water.open(water.encoded())

    assert dict(opened) == dict(water)
    assert opened.login.password.reveal() == TEXT
    assert opened.changes() == ({}, ())
    assert Headwaters(any={"deep": [({secret},)]})["any"] == {"deep": [({secret},)]}


@pytest.mark.promise("12.5", "2.4")
def test_it_can_be_a_parameter_and_is_not_shown_in_the_chart() -> None:
    laid = lay(drawn(Ask(Secret(TEXT), Login("a", Secret(TEXT)))), None, {})

    (river,) = [stream for address, stream in laid.bound.streams(laid.cargo).items() if address != "~"]
    assert isinstance(river, Ask)
    assert river.password.reveal() == TEXT
    assert TEXT.encode() not in laid.stored


@pytest.mark.promise("12.5", "2.10")
@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("password", TEXT, "str"),
        ("more", [TEXT], "str"),
        ("more", TEXT, "str"),
        ("access", {"user": "a", "password": TEXT}, "str"),
        ("access", {"password": TEXT}, "dict"),
    ],
)
def test_a_text_where_a_secret_is_declared_is_refused_without_showing_it(key: str, value: Any, kind: str) -> None:
    water = Water()

    with pytest.raises(WaterTypeError, match=rf"but it is \*\*\*\*\* \({kind}\)") as refused:
        water[key] = value

    assert TEXT not in str(refused.value)


@pytest.mark.promise("12.5")
def test_a_text_that_cannot_be_stored_is_not_shown() -> None:
    with pytest.raises(UnstorableValue, match=r"spec\[0\]: the text of this Secret holds a lone surrogate") as refused:
        encode([Secret(f"{TEXT}\ud800")], "spec")

    assert TEXT not in "".join(traceback.format_exception(refused.value))


@pytest.mark.promise("12.5", "10.9")
@pytest.mark.parametrize(
    "stored",
    [
        encode({"a": [Login("a", Secret(TEXT))]}).replace(b'"user"', b'"name"'),
        b'{"$dataclass":["tests.drawing.test_secret.Strict",{"password":{"$secret":"s3cr3t-of-17"}}]}',
        b'{"$secret":["s3cr3t-of-17"]}',
        b'{"$tuple":{"a":{"$secret":"s3cr3t-of-17"}}}',
    ],
)
def test_a_stored_value_that_cannot_be_read_does_not_show_its_secrets(stored: bytes) -> None:
    with pytest.raises(StoreUnreadable) as refused:
        decode(stored, "spec")

    assert TEXT not in "".join(traceback.format_exception(refused.value))


@pytest.mark.promise("12.5")
@pytest.mark.parametrize(
    ("value", "holds"),
    [
        (Secret("a"), True),
        ([1, {"a": (Secret("a"),)}], True),
        (Login("a", Secret("b")), True),
        ({"$secret": Secret("a")}, True),
        ("a", False),
        ('"$secret"', False),
        ("$secret", False),
        ({"$secret": "a"}, False),
        ({"$secret": {"$secret": "a"}}, False),
        ({"$secret": 1, "b": 2}, False),
        ([{"a": "$secret"}], False),
    ],
)
def test_encoded_values_tell_whether_they_hold_a_secret(value: Any, *, holds: bool) -> None:
    assert is_secret(encode(value)) is holds


@pytest.mark.promise("12.5")
def test_what_is_damaged_counts_as_secret() -> None:
    assert is_secret(b'{"$secret"')
    assert not is_secret(b'{"a":')


def test_a_dataclass_with_a_secret_can_be_copied_with_changes() -> None:
    login = replace(Login("a", Secret("b")), password=Secret("c"))

    assert login == Login("a", Secret("c"))
