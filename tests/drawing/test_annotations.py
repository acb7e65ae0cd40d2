"""Is a value checked as deep as its annotation, and no deeper?"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Dict, List, Literal, NewType, NotRequired, Optional, TypedDict, TypeVar, Union  # noqa: UP035  # old spellings are to work
from uuid import UUID

import pytest

from tests.drawing.kinds import Color, Disk, Machine, Zone
from vastflow.drawing.annotations import check_of, passes, same, shown
from vastflow.drawing.storables import storable
from vastflow.secret import Secret

Name = NewType("Name", str)
T = TypeVar("T")


class Spec(TypedDict):
    size: int
    parts: NotRequired[list["Spec"]]


@dataclass
class Shape:
    """A base that is not storable itself."""


@storable
@dataclass
class Circle(Shape):
    r: float


class Client:
    pass


FITTING: list[tuple[Any, Any]] = [
    (Any, object()),
    (object, object()),
    (None, None),
    (int, 3),
    (int, True),
    (float, 3),
    (float, 2.5),
    (str, "a"),
    (str, Zone.EAST),
    (date, datetime(2024, 1, 1)),  # noqa: DTZ001  # without a zone on purpose
    (time, time(1)),
    (timedelta, timedelta(1)),
    (UUID, UUID(int=1)),
    (Decimal, Decimal(1)),
    (bytes, b""),
    (Secret, Secret("a")),
    (int | None, None),
    (Optional[int], 3),  # noqa: UP045  # old spellings are to work
    (Union[int, str], "a"),  # noqa: UP007  # old spellings are to work
    (list, [1, "a"]),
    (list[int], [1, 2]),
    (List[int], []),  # noqa: UP006  # old spellings are to work
    (Dict[str, int], {"a": 1}),  # noqa: UP006  # old spellings are to work
    (dict, {"a": 1}),
    (dict[str, list[int | None]], {"a": [1, None]}),
    (Mapping[str, int], {"a": 1}),
    (Sequence[int], (1, 2)),
    (Iterable[int], {1, 2}),
    (set[int], {1}),
    (frozenset[str], frozenset("ab")),
    (tuple, (1, "a")),
    (tuple[int, ...], (1, 2, 3)),
    (tuple[int, str], (1, "a")),
    (tuple[()], ()),
    (Literal["a", 1], 1),
    (Annotated[int, "kilobytes"], 1),
    (Name, "a"),
    (Color, Color.RED),
    (Disk, Disk("a")),
    (Shape, Circle(1.0)),
    (list[Machine], [Machine([])]),
    (Spec, {"size": 1}),
    (Spec, {"size": 1, "parts": [{"size": 2, "parts": []}]}),
]


@pytest.mark.promise("2.10")
@pytest.mark.parametrize(("annotation", "value"), FITTING, ids=map(str, range(len(FITTING))))
def test_what_is_declared_passes(annotation: Any, value: Any) -> None:
    assert check_of(annotation)(value) is None


MISFITS: list[tuple[Any, Any, str, str]] = [
    (int, "a", "", "int"),
    (int, 1.0, "", "int"),
    (float, "1", "", "float"),
    (bool, 1, "", "bool"),
    (str, b"", "", "str"),
    (None, 0, "", "None"),
    (int | None, "a", "", "int | None"),
    (list[int] | None, [1, "a"], "[1]", "int"),
    (list[int], (1,), "", "list"),
    (list[int], [1, "a"], "[1]", "int"),
    (dict[str, list[int]], {"a": [], "b": [0, None]}, '["b"][1]', "int"),
    (dict[Literal["a"], int], {"b": 1}, "", "Literal['a']"),
    (tuple[int, str], (1,), "", "tuple[int, str]"),
    (tuple[int, str], [1, "a"], "", "tuple[int, str]"),
    (tuple[int, str], (1, 2), "[1]", "str"),
    (tuple[int, ...], (1, "a"), "[1]", "int"),
    (Literal["a", 1], True, "", "Literal['a', 1]"),
    (Literal["a", 1], [], "", "Literal['a', 1]"),
    (Color, "RED", "", "Color"),
    (Disk, {"name": "a"}, "", "Disk"),
    (Spec, [], "", "dict"),
    (Spec, {}, '["size"]', "Spec with the keys size, parts"),
    (Spec, {"size": 1, "seize": 2}, '["seize"]', "Spec with the keys size, parts"),
    (Spec, {"size": 1, "parts": [{"size": "a"}]}, '["parts"][0]["size"]', "int"),
]


@pytest.mark.promise("2.10")
@pytest.mark.parametrize(("annotation", "value", "path", "wanted"), MISFITS, ids=map(str, range(len(MISFITS))))
def test_what_does_not_fit_is_found_where_it_is(annotation: Any, value: Any, path: str, wanted: str) -> None:
    misfit = check_of(annotation)(value)

    assert misfit is not None
    assert (misfit.path, misfit.wanted) == (path, wanted)


@pytest.mark.promise("2.9", "2.10")
@pytest.mark.parametrize(
    ("annotation", "fault"),
    [
        (Client, "no value of type Client can be stored: put @storable above that class"),
        (list[Client], "no value of type Client can be stored"),
        (type, "no value of type type can be stored"),
        (T, "~T cannot be checked: write a class, a union of classes, or Any"),
        (Callable[[], int], "no value of type collections.abc.Callable[[], int] can be stored"),
        (3, "3 cannot be checked"),
    ],
    ids=["class", "inside", "type", "typevar", "callable", "number"],
)
def test_an_annotation_that_no_storable_value_has_is_a_fault(annotation: Any, fault: str) -> None:
    with pytest.raises(TypeError) as caught:
        check_of(annotation)

    assert str(caught.value).startswith(fault)


@pytest.mark.promise("2.10")
def test_types_that_need_no_look_inside_are_known() -> None:
    assert passes(float) == {float, int, bool}
    assert passes(str | None) == {str, type(None)}
    assert passes(list[int]) == frozenset()
    assert passes(Any) == frozenset()


@pytest.mark.promise("2.10")
def test_annotations_are_compared_by_what_they_mean() -> None:
    assert same(Optional[int], int | None)  # noqa: UP045  # old spellings are to work
    assert same(List[int], list[int])  # noqa: UP006  # old spellings are to work
    assert same(dict[str, int | None], dict[str, Union[None, int]])  # noqa: UP007, RUF036  # another order
    assert same(Any, int)
    assert same(list[Any], list[int])
    assert same(Annotated[int, "kilobytes"], int)
    assert same(Literal["a", "b"], Literal["b", "a"])
    assert not same(int, str)
    assert not same(int | None, int)
    assert not same(list[int], list[str])
    assert not same(list[int], list)
    assert not same(list[int], set[int])
    assert not same(Literal[1], Literal[True])
    assert not same(int | str, int | None)


@pytest.mark.promise("2.10")
def test_an_alias_that_carries_a_name_means_what_it_stands_for() -> None:
    class TypeAliasType:
        """What `type Sizes = list[int]` makes since Python 3.12."""

        __value__ = list[int]

    assert same(TypeAliasType(), list[int])


@pytest.mark.promise("2.10")
def test_annotations_are_shown_as_people_write_them() -> None:
    assert [shown(one) for one in (int, type(None), Color, list[int])] == ["int", "None", "Color", "list[int]"]
    assert shown(Optional[int]) == "Optional[int]"  # noqa: UP045  # old spellings are to work
