"""Does the page of names list what there is?"""

import dataclasses
import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

import vastflow
from tests.house.source import ROOT
from vastflow import errors, log
from vastflow.cli import verbs
from vastflow.engine import AsyncEngine, AsyncFlow, Engine, Event, Flow, FlowStatus, StreamStatus, Trouble
from vastflow.engine.metrics import Metrics
from vastflow.engine.questions import Questions
from vastflow.why import Reason, Why

PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")
LISTED = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))))
INSIDE = {"reader", "launch", "look", "ending", "command", "present_attributes", "is_reopened"} | {
    *("settle", "settling", "is_asked_for", "forked")
}  # for handles only


@pytest.mark.parametrize("name", sorted(set(vastflow.__all__) - {"__version__"}))
def test_every_name_of_the_package_is_listed(name: str) -> None:
    assert name in LISTED


@pytest.mark.parametrize(
    "taker",
    [
        *(Engine, Engine.start, Engine.start_many, Engine.flow, Engine.flows, Engine.close, Flow.wait, Flow.result),
        *(errors.Retry, errors.Continue, errors.Fail, log.setup, vastflow.Andes, vastflow.ParallelRiver),
        *(vastflow.Basin, vastflow.ParallelRiver.each, vastflow.Andes.start),
    ],
    ids=lambda taker: taker.__qualname__,
)
def test_every_argument_is_listed_with_its_default(taker: Callable[..., Any]) -> None:
    parameters = inspect.signature(taker).parameters.values()

    for parameter in parameters:
        if parameter.name != "self":
            assert parameter.name in LISTED
            if isinstance(parameter.default, str | float | bool):
                assert f"{parameter.name}={parameter.default!r}".replace("'", '"') in PAGE


@pytest.mark.parametrize("kind", [FlowStatus, StreamStatus, Event, Metrics, Reason, Why])
def test_every_field_is_listed(kind: Any) -> None:
    table = PAGE.partition(f"| `{kind.__name__}` |")[2].partition("\n\n")[0]

    assert {field.name for field in dataclasses.fields(kind)} <= set(re.findall(r"\w+", table))


def test_every_method_is_listed() -> None:
    for name in (
        *vars(Engine),
        *vars(Questions),
        *vars(Flow),
        *vars(AsyncEngine),
        *vars(AsyncFlow),
        *Trouble.__dataclass_fields__,
    ):
        if not name.startswith("_") and name not in INSIDE:
            assert name in LISTED


def test_verbs_and_exit_codes_are_listed() -> None:
    assert all(f"`vastflow {verb}" in PAGE for verb in verbs.VERBS)
    assert f"\n| {verbs.NOT_FOUND} | there is no such flow |\n" in PAGE
    assert f"\n| {verbs.STORE_TROUBLE} | the store " in PAGE
