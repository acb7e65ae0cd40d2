"""Are attributes read as they are stored, and is what cannot be refused?"""

from datetime import timedelta
from typing import Any, ClassVar

import pytest

from vastflow.drawing import Atlantic, River
from vastflow.drawing.attributes import RIVER, Attributes, anchor_of, clashes, told_by
from vastflow.drawing.chart import Anchor, Waits
from vastflow.drawing.declaration import attributes_of
from vastflow.errors import AttributeFault


class Plain(River):
    def flow(self, water: Any) -> None:
        """Do nothing."""


class Full(River):
    retry_times, retry_interval, retry_backoff, retry_max_interval = 3, "2m", 1, timedelta(hours=1)
    cycle_interval, cycle_backoff, cycle_max_interval, cycle_times = 0.5, 1.5, None, 7
    deadline, timeout, cycle_errors = "1d", "30s", 0
    retry_on, fail_on = (OSError, TimeoutError), (FileNotFoundError,)
    atomic, at_most_once, max_running = True, True, 4
    undo_times, undo_interval, undo_deadline = 1, 2, 3
    signals = ("paid", "sent")
    name, color = "full", "blue"

    def flow(self, water: Any) -> None:
        """Do nothing."""

    def cycle(self, water: Any) -> None:
        """Poll."""


@pytest.mark.promise("2.3")
def test_the_defaults_are_those_of_the_table() -> None:
    assert anchor_of(attributes_of(Plain())) == Anchor()


@pytest.mark.promise("2.3")
def test_every_attribute_is_stored_and_durations_in_seconds() -> None:
    assert anchor_of(attributes_of(Full())) == Anchor(
        retry=Waits(3, 120.0, 1.0, 3600.0),
        cycle_interval=0.5,
        cycle_backoff=1.5,
        cycle_max_interval=None,
        cycle_times=7,
        cycle_errors=0,
        deadline=86400.0,
        timeout=30.0,
        retry_on=("builtins.OSError", "builtins.TimeoutError"),
        fail_on=("builtins.FileNotFoundError",),
        atomic=True,
        at_most_once=True,
        undo_times=1,
        undo_interval=2.0,
        undo_deadline=3.0,
        signals=("paid", "sent"),
        max_running=4,
    )


@pytest.mark.promise("2.8")
def test_a_stored_anchor_tells_its_attributes_again() -> None:
    told = told_by(anchor_of(attributes_of(Full())))

    assert told == {name: attributes_of(Full())[name] for name in told}
    assert RIVER.keys() - told.keys() == {"retry_on", "fail_on", "registered_as", "renamed_from", "name", "color"}


@pytest.mark.promise("2.4")
def test_options_give_a_copy_with_other_attributes() -> None:
    river = Plain()

    other = river.options(retry_times=5).options(name="other", color="red")

    assert (river.retry_times, river.name) == (0, None)
    assert (other.retry_times, other.name, other.color) == (5, "other", "red")


@pytest.mark.promise("2.3", "2.4")
def test_options_are_checked_like_a_class() -> None:
    with pytest.raises(AttributeFault, match=r"Plain\.options\(\): retry_times = -1"):
        Plain().options(retry_times=-1)
    with pytest.raises(AttributeFault, match=r"Plain\.options\(\): cycle_times counts polls"):
        Plain().options(cycle_times=3)
    with pytest.raises(AttributeFault, match=r"Plain\.options\(\): the name 'a:b' holds ':'"):
        Plain().options(name="a:b")


@pytest.mark.promise("2.3")
@pytest.mark.parametrize(
    "name", ["cycle_interval", "cycle_backoff", "cycle_max_interval", "cycle_times", "cycle_errors"]
)
def test_what_is_about_polls_is_refused_in_a_class_without_a_cycle(name: str) -> None:
    with pytest.raises(AttributeFault, match=rf"Idle: {name} .*but there are none"):
        type("Idle", (Plain,), {name: 3, "__qualname__": "Idle"})
    with pytest.raises(AttributeFault, match=rf"Plain\.options\(\): {name} .*but there are none"):
        Plain().options(**{name: 3})


@pytest.mark.promise("2.3")
def test_an_abstract_base_may_say_how_the_rivers_that_poll_are_polled() -> None:
    class Slow(River):
        cycle_interval, cycle_errors = "1m", 0

    class Quick(Slow):
        def flow(self, water: Any) -> None:
            """Do nothing."""

    class Polled(Quick):
        cycle_times, cycle_backoff = 3, 2.0

        def cycle(self, water: Any) -> None:
            """Poll."""

    assert attributes_of(Quick())["cycle_interval"] == attributes_of(Polled())["cycle_interval"] == 60.0


@pytest.mark.promise("2.3")
@pytest.mark.parametrize(
    ("base", "name", "meant"),
    [(River, "retry_tims", "retry_times"), (River, "colour", "color"), (Atlantic, "retry_time", "retry_times")],
)
def test_a_name_that_can_only_be_a_misspelt_attribute_is_refused(base: type, name: str, meant: str) -> None:
    with pytest.raises(AttributeFault, match=rf"Odd: {name} is no attribute: did you mean '{meant}'\?.* _{name},"):
        type("Odd", (base,), {name: 3, "__qualname__": "Odd"})


@pytest.mark.promise("2.3", "2.4")
def test_an_own_constant_a_parameter_a_method_and_what_a_mixin_brings_are_no_misspelt_attributes() -> None:
    class Mixin:
        retry_tims = 3

    class Base(River):
        retry_time: int
        timeouts: ClassVar[int] = 3

    class Right(Mixin, Base):
        _retry_times = 3
        retry_time = 7
        waiting = 3
        undo_time_of_day = 3

        class signalls:  # noqa: N801  # near to an attribute
            """Nothing."""

        def deadlines(self) -> None:
            """Do nothing."""

        @property
        def names(self) -> str:
            """Do nothing."""
            return ""

    assert (Right(retry_time=1).retry_tims, Right.retry_times) == (3, 0)


@pytest.mark.promise("2.3")
def test_a_plain_mixin_may_bring_attributes() -> None:
    class Patient:
        retry_times = 9

    class Both(Patient, Plain):
        pass

    assert attributes_of(Both())["retry_times"] == 9


@pytest.mark.promise("2.3", "9.2")
def test_a_cycle_ends_by_times_or_deadline_or_waits_for_signals() -> None:
    plain = attributes_of(Plain())

    assert list(clashes(plain, ["flow", "cycle"])) != []
    for bound in ({"cycle_times": 1}, {"deadline": 1.0}, {"signals": ("paid",)}):
        assert list(clashes({**plain, **bound}, ["flow", "cycle"])) == []
    woken = {**plain, "signals": ("paid",), "cycle_interval": None}
    assert list(clashes(woken, ["flow", "cycle"])) == []


@pytest.mark.promise("2.7")
def test_update_sees_attributes_in_seconds_and_no_others() -> None:
    attr = Attributes("here", {**attributes_of(Full()), "retry_on": (OSError,), "fail_on": ()})

    attr.deadline = "2d"

    told: list[Any] = [attr.deadline, attr.timeout, attr.retry_on]
    assert told == [172800.0, 30.0, (OSError,)]
    assert attr.values()["retry_on"] == ("builtins.OSError",)
    with pytest.raises(AttributeFault, match="here has no attribute 'retries'"):
        _ = attr.retries


@pytest.mark.promise("4.9")
@pytest.mark.parametrize("body", ["cycle", "undo", "reconcile"])
def test_a_river_that_need_not_last_has_no_body_that_relies_on_its_end(body: str) -> None:
    values = {**attributes_of(Plain()), "durable": False, "cycle_times": 1 if body == "cycle" else None}

    assert list(clashes(values, ["flow", body])) == [
        f"durable = False may lose its end in a crash, and `{body}` forbids that: take one of them out"
    ]
    assert list(clashes({**values, "cycle_times": None}, ["flow", "when"])) == []


@pytest.mark.promise("4.9")
@pytest.mark.parametrize("name", ["atomic", "at_most_once"])
def test_a_river_that_need_not_last_is_neither_atomic_nor_done_at_most_once(name: str) -> None:
    values = {**attributes_of(Plain()), "durable": False, "deadline": 1.0, name: True}

    assert len(list(clashes(values, ["flow"]))) == 1
