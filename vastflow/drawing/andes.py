"""Where does a flow begin?

In an Andes: what flows down from it is the drawing, and `start()` lets one flow run through it.
"""

from collections.abc import Mapping
from typing import Any, Generic, NoReturn, Self, TypeVar, cast, overload

from vastflow.drawing.atlantic import Atlantic
from vastflow.drawing.durations import Moment
from vastflow.drawing.headwaters import Headwaters
from vastflow.drawing.launcher import FlowHandle, Terms, launcher
from vastflow.drawing.parallel_river import Stream, taken
from vastflow.drawing.parameters import detached
from vastflow.errors import DrawingError

__all__ = ["Andes"]

W = TypeVar("W", bound=Headwaters)


def _is_name(name: object) -> bool:
    return isinstance(name, str) and bool(name.strip()) and name.isprintable()


def _is_water(water: object) -> bool:
    return isinstance(water, type) and issubclass(water, Headwaters)


class Andes(Generic[W]):
    """A drawing: what begins here, what it flows through, where it ends. `W` is the class of its water.

    Attributes:
        name: of the drawing.
        water: the class of its water.
        streams: what is drawn so far, one after another.
        atlantic: where it ends; None while there is none.
        headwaters: the values every flow begins with.
        plan: what a higher page keeps here until the drawing changes.
    """

    name: str
    water: type[W]
    streams: tuple[Stream, ...]
    atlantic: Atlantic | None
    headwaters: Mapping[str, Any]
    plan: Any

    @overload
    def __init__(self: "Andes[Headwaters]", name: str) -> None: ...

    @overload
    def __init__(self, name: str, water: type[W]) -> None: ...

    def __init__(self, name: str, water: type[Any] = Headwaters) -> None:
        """Begin a drawing.

        Args:
            name: what the flows of this drawing are called.
            water: the class of their water; plain Headwaters takes any key.

        Raises:
            DrawingError: an argument is not possible.
        """
        if not _is_name(name):
            fault = f"Andes({name!r}): this is no name: write a text, such as Andes('attach-volume')"
            raise DrawingError("Andes", (fault,))
        if not _is_water(water):
            fault = f"Andes({name!r}): {water!r} is no class of water: write a class derived from Headwaters"
            raise DrawingError(name, (fault,))
        self.name = name
        self.water = cast("type[W]", water)
        self.streams = ()
        self.atlantic = None
        self.headwaters = {}
        self.plan = None

    def __repr__(self) -> str:
        """Say which it is."""
        return f"Andes({self.name!r})"

    def draw_headwaters(self, water: Mapping[str, Any]) -> Self:
        """Draw the values every flow begins with; `start()` adds to them."""
        if not isinstance(water, Mapping):
            fault = f"{self!r}: draw_headwaters({water!r}) is no water: write Headwaters(image='debian'), or a dict"
            raise DrawingError(self.name, (fault,))
        self.headwaters = {key: detached(value) for key, value in water.items()}
        self.plan = None
        return self

    def draw_stream(self, stream: Stream) -> Self:
        """Draw one more stream at the end."""
        self.streams = (*self.streams, taken(stream, "draw_stream()"))
        self.plan = None
        return self

    def draw_atlantic(self, atlantic: Atlantic) -> Self:
        """Draw where it ends."""
        if not isinstance(atlantic, Atlantic):
            fault = f"{self!r}: draw_atlantic({atlantic!r}) is no Atlantic: write a class derived from Atlantic, and ()"
            raise DrawingError(self.name, (fault,))
        if self.atlantic is not None:
            fault = f"{self!r}: it ends in {self.atlantic!r} already, {atlantic!r} cannot be a second end: draw one"
            raise DrawingError(self.name, (fault,))
        self.atlantic = atlantic
        self.plan = None
        return self

    def __rshift__(self, other: Stream | Atlantic) -> "Andes[W]":
        """Return a drawing that flows on into a stream or ends in an Atlantic; this one stays as it is."""
        made = self._copy()
        if isinstance(other, Atlantic):
            return made.draw_atlantic(other)
        if self.atlantic is not None:
            fault = f"{self!r}: nothing flows on after {self.atlantic!r}: write the Atlantic last"
            raise DrawingError(self.name, (fault,))
        return made.draw_stream(other)

    def __or__(self, other: object) -> NoReturn:
        """Refuse: `>>` binds closer than `|`.

        Raises:
            TypeError: always; the message says where to put parentheses.
        """
        raise TypeError(f"{self!r} | {other!r}: >> binds closer than |, put parentheses: Andes(...) >> (a | b) >> c")

    def __ror__(self, other: object) -> NoReturn:
        """Refuse as well."""
        raise TypeError(f"{other!r} | {self!r}: an Andes stands at the beginning: write Andes(...) >> (a | b) >> c")

    def start(
        self,
        water: W | dict[str, Any] | None = None,
        *,
        id: str | None = None,  # noqa: A002  # what it is; and it is only ever written by name
        tags: Mapping[str, str] | None = None,
        not_before: Moment | None = None,
        deadline: Moment | None = None,
        wait: float | None = None,
        **values: Any,
    ) -> FlowHandle[W]:
        """Start a flow, durably: when this returns it is on disk.

        Args:
            water: what it begins with, over what was drawn with `draw_headwaters`.
            id: an idempotency key: the same id with the same drawing and water gives the flow that exists.
            tags: text by text, to find it by.
            not_before: it begins then (or so long from now), not earlier.
            deadline: it is ended then (or so long from now).
            wait: seconds to wait at most while as many flows are under way as the engine takes (`max_flows`); None:
                as long as it takes, False: not at all.
            values: single keys of the water.

        Raises:
            DrawingError: what is drawn, or the water, is wrong; all faults at once.
            FlowConflict: the id belongs to a flow that was started differently.
            EngineBusy: as many flows are under way as the engine takes.
            EngineError: there is no engine.
        """
        terms = Terms(id, tags or {}, not_before, deadline, wait)
        return cast("FlowHandle[W]", launcher().launch(self, water, values, terms))

    def _copy(self) -> "Andes[W]":
        made = Andes(self.name, self.water)
        made.streams, made.atlantic, made.headwaters = self.streams, self.atlantic, self.headwaters
        return made
