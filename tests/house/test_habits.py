"""Are the things nobody may do not done, and the exceptions explained?"""

import re
from pathlib import Path

import pytest

from tests.house.source import ROOT, calls, comments, imports, label, pages

LIBRARY = pages("vastflow")
EVERYTHING = pages("vastflow", "tests", "examples", "benchmarks")

# What no page of the library may import: nothing that was stored is ever run.
NO_IMPORTS = {"cloudpickle", "dill", "marshal", "pickle", "shelve", "unittest"}

# Call -> where alone it may stand. A library leaves the interpreter and its host's logging as it found them.
NO_CALLS = {
    "__import__": (),
    "asyncio.set_event_loop": (),
    "datetime.datetime.now": ("vastflow/clock.py",),
    "datetime.now": ("vastflow/clock.py",),
    "eval": (),
    "exec": (),
    "gc.collect": ("vastflow/cli", "vastflow/demo"),
    "gc.disable": ("vastflow/cli", "vastflow/demo"),
    "gc.freeze": ("vastflow/cli", "vastflow/demo"),
    "gc.set_threshold": ("vastflow/cli", "vastflow/demo"),
    "importlib.import_module": ("vastflow/__init__.py", "vastflow/cli"),
    "logging.basicConfig": (),
    "os.system": (),
    "structlog.configure": ("vastflow/log",),
    "sys.setswitchinterval": (),
    "time.monotonic": ("vastflow/clock.py",),
    "time.monotonic_ns": ("vastflow/clock.py",),
    "time.sleep": ("vastflow/clock.py",),
    "time.time": ("vastflow/clock.py",),
    "time.time_ns": ("vastflow/clock.py",),
}

EXCUSE = re.compile(r"#\s*(?:ruff:\s*)?(?P<what>noqa|type:\s*ignore|pyright:\s*ignore)\b(?P<rest>.*)")
CODE_AND_REASON = re.compile(r"(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|\[[\w\-, ]+\])\W+\w+.*\w")


def forbidden(page: Path) -> list[str]:
    called = [(line, name) for line, name in calls(page) if name in NO_CALLS]
    return [f"{label(page)}:{line}: {name}" for line, name in called if not label(page).startswith(NO_CALLS[name])]


@pytest.mark.parametrize("page", LIBRARY, ids=label)
def test_nobody_calls_what_nobody_may_call(page: Path) -> None:
    assert forbidden(page) == []


@pytest.mark.parametrize("page", LIBRARY, ids=label)
def test_nobody_imports_what_could_run_stored_data(page: Path) -> None:
    assert [f"{line}: {name}" for line, name in imports(page) if name.partition(".")[0] in NO_IMPORTS] == []


@pytest.mark.parametrize("page", EVERYTHING, ids=label)
def test_every_excuse_has_its_code_and_its_reason(page: Path) -> None:
    excuses = [(line, found["rest"]) for line, text in comments(page) if (found := EXCUSE.search(text))]

    assert [line for line, rest in excuses if not CODE_AND_REASON.match(rest)] == []


@pytest.mark.parametrize(
    ("comment", "good"),
    [
        ("# noqa: S311 - chance, not secrecy", True),
        ("# noqa: BLE001, S110  whatever a body raises is its answer", True),
        ("# type: ignore[attr-defined]  # pykka is untyped here", True),
        ("# noqa: S311", False),
        ("# noqa", False),
        ("# noqa because I say so", False),
        ("# type: ignore", False),
        ("# type: ignore[attr-defined]", False),
    ],
)
def test_an_excuse_without_code_or_reason_is_known_as_such(comment: str, *, good: bool) -> None:
    found = EXCUSE.search(comment)

    assert found is not None
    assert bool(CODE_AND_REASON.match(found["rest"])) is good


def test_the_changelog_has_a_place_for_what_is_not_released() -> None:
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text("utf-8")
