"""What flows after each other, what side by side?

A stream is anything drawn. `a >> b` is a chain, `a | b` a ParallelRiver, and both are streams again, so everything
nests.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NoReturn, Self, get_args

from vastflow.drawing.declaration import Declared
from vastflow.drawing.names import faults_of_name
from vastflow.errors import DrawingError

__all__ = ["Chained", "Each", "Gathering", "ParallelRiver", "Stream", "links", "refuse", "renames", "taken"]

Join = Literal["all", "settle", "any"]
OnConflict = Literal["fail", "last"]


class Stream:
    """Anything that can be drawn."""

    def __rshift__(self, other: "Stream") -> "Chained":
        """Flow into another stream."""
        return Chained((*links(taken(self, ">>")), *links(taken(other, ">>"))))

    def __or__(self, other: "Stream") -> "ParallelRiver":
        """Flow beside another stream."""
        return ParallelRiver.beside(self, taken(other, "|"))


class Frozen(Stream):
    """A stream whose attributes are set once, when it is made."""

    def __init__(self, **told: Any) -> None:
        """Keep what it is made of."""
        self.__dict__.update(told)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: what is drawn does not change.

        Raises:
            DrawingError: always.
        """
        refuse(str(self), f"{name} cannot be set, a drawing is frozen: give it to {type(self).__name__}(...)")

    def __repr__(self) -> str:
        """Say what it is, for messages."""
        name = self.__dict__.get("name")
        return f"{type(self).__name__} {name!r}" if name else type(self).__name__


class Chained(Frozen):
    """Streams one after another."""

    streams: tuple[Stream, ...]

    def __init__(self, streams: tuple[Stream, ...]) -> None:
        """Draw them in this order."""
        super().__init__(streams=streams)


class Gathering(Frozen):
    """A stream made of others; more can be appended until it is drawn into something itself."""

    streams: tuple[Stream, ...]
    is_drawn: bool

    def append(self, stream: Stream) -> Self:
        """Add a stream at the end and return this one.

        Raises:
            DrawingError: it has been drawn already.
        """
        if stream is self:
            refuse(str(self), "it cannot flow into itself: append another stream")
        if self.is_drawn:
            refuse(str(self), "append() came after it was drawn into something: append first, then draw it")
        self.__dict__["streams"] = (*self.streams, taken(stream, "append()"))
        return self


class ParallelRiver(Gathering):
    """Streams that run at the same time and are joined.

    Args:
        streams: the branches.
        join: "all" ends when all have ended well; "settle" the same, but a failure cancels nobody; "any" ends with
            the first that ended well.
        max_failures: how many branches may fail, or below 1 which share of them.
        on_conflict: what happens when two branches wrote one key differently: "fail", or "last" (the later drawn wins).
        name: for the map and the logs.
    """

    join: Join
    max_failures: int | float
    on_conflict: OnConflict
    name: str | None
    is_written_with_bars: bool

    def __init__(
        self,
        *streams: Stream,
        join: Join = "all",
        max_failures: float = 0,
        on_conflict: OnConflict = "fail",
        name: str | None = None,
    ) -> None:
        """Draw the branches side by side.

        Raises:
            DrawingError: an argument is not possible.
        """
        super().__init__(name=name, join=join, max_failures=max_failures, on_conflict=on_conflict)
        self.__dict__.update(is_drawn=False, is_written_with_bars=False)
        _check_choice(self, "join", join, get_args(Join))
        _check_choice(self, "on_conflict", on_conflict, get_args(OnConflict))
        _check_max_failures(self, max_failures)
        if name is not None:
            check_name(self, name)
        self.__dict__["streams"] = tuple(taken(stream, "ParallelRiver(...)") for stream in streams)

    @classmethod
    def beside(cls, *streams: Stream) -> "ParallelRiver":
        """Return what `a | b` means; what was written with bars before takes more branches."""
        branches: list[Stream] = []
        for stream in streams:
            if isinstance(stream, ParallelRiver) and stream.is_written_with_bars:
                branches.extend(stream.streams)
            else:
                branches.append(stream)
        made = ParallelRiver(*branches)
        made.__dict__["is_written_with_bars"] = True
        return made

    @staticmethod
    def each(  # noqa: PLR0913  # one call says all there is to say
        key: str,
        stream: Stream,
        *,
        item: str,
        limit: int | None = None,
        collect: Iterable[str] | Mapping[str, str] = (),
        max_failures: float = 0,
        name: str | None = None,
    ) -> "Each":
        """Draw one branch for each element of `water[key]`.

        Args:
            key: where the list is.
            stream: what each branch is.
            item: under which key a branch finds its element.
            limit: how many branches are begun at once.
            collect: keys whose values leave the branches, as lists in the order of the elements; a mapping renames.
            max_failures: how many branches may fail, or below 1 which share of them.
            name: what it is called; else as its stream. A chain needs one.

        Raises:
            DrawingError: an argument is not possible.
        """
        made = Each(name=name, key=key, item=item, limit=limit, max_failures=max_failures)
        if name is not None:
            check_name(made, name)
        _check_key(made, "key", key)
        _check_key(made, "item", item)
        _check_limit(made, limit)
        _check_max_failures(made, max_failures)
        made.__dict__.update(stream=taken(stream, "ParallelRiver.each(...)"), collect=renames(made, "collect", collect))
        return made


class Each(Frozen):
    """One branch for each element of a list in the water; made by `ParallelRiver.each`."""

    key: str
    stream: Stream
    item: str
    limit: int | None
    collect: tuple[tuple[str, str], ...]
    max_failures: int | float
    name: str | None


def links(stream: Stream) -> tuple[Stream, ...]:
    """Return the streams of a chain, one by one; of anything else itself."""
    return stream.streams if isinstance(stream, Chained) else (stream,)


def taken(stream: object, where: str) -> Stream:
    """Return a stream that is drawn into something, and let it not be appended to any more.

    Raises:
        TypeError: it is no stream; the message says what to write.
    """
    if isinstance(stream, Stream):
        if isinstance(stream, Gathering):
            stream.__dict__["is_drawn"] = True
        return stream
    raise TypeError(f"{where}: {_strange(stream)}")


def _strange(stream: object) -> str:
    name = stream.__name__ if isinstance(stream, type) else type(stream).__name__
    if isinstance(stream, type) and issubclass(stream, (Stream, Declared)):
        return f"{name} is a class, not a stream: write {name}(...)"
    if isinstance(stream, Declared):
        return f"{name} is an Atlantic, which ends a whole drawing: write `Andes(...) >> ... >> {name}(...)`"
    if hasattr(stream, "draw_stream"):
        return f"an {name} stands at the beginning, not within: write `{name}(...) >> ...`"
    return f"{stream!r} is no stream: write a River, ParallelRiver, Basin, or some of them with >> and | between"


def renames(where: Frozen, what: str, told: object) -> tuple[tuple[str, str], ...]:
    """Return pairs of names from a list of names or a mapping that renames.

    Raises:
        DrawingError: it is neither.
    """
    advice = f"write a list of keys, {what}=['vm'], or a mapping that renames, {what}={{'vm': 'east_vm'}}"
    if isinstance(told, str) or not isinstance(told, Iterable):
        refuse(str(where), f"{what}={told!r} is no list of keys: {advice}")
    pairs = tuple(told.items()) if isinstance(told, Mapping) else tuple((name, name) for name in told)
    if not all(type(name) is str and name for pair in pairs for name in pair):
        refuse(str(where), f"{what}={told!r} holds what is no key: {advice}")
    return pairs


def refuse(where: str, fault: str) -> NoReturn:
    """Raise one fault of one stream.

    Raises:
        DrawingError: always.
    """
    raise DrawingError(where, (f"{where}: {fault}",))


def check_name(stream: Frozen, name: object) -> None:
    """Refuse what cannot be a stream's name.

    Raises:
        DrawingError: the name cannot be one.
    """
    kind = type(stream).__name__
    if not isinstance(name, str):
        refuse(kind, f"{name!r} is no name: write a text, such as {kind}('east', ...) or name='east'")
    for fault in faults_of_name(kind, name):
        raise DrawingError(name, (fault,))


def _check_choice(stream: Frozen, what: str, told: object, choices: tuple[str, ...]) -> None:
    if told not in choices:
        refuse(str(stream), f"{what}={told!r} is not possible: write one of {', '.join(map(repr, choices))}")


def _check_max_failures(stream: Frozen, told: object) -> None:
    is_count = type(told) is int and told >= 0
    is_share = type(told) is float and 0 <= told < 1
    if not (is_count or is_share):
        refuse(str(stream), f"max_failures={told!r} is not possible: write a count, 0 or more, or a share below 1, 0.5")


def _check_limit(stream: Frozen, told: object) -> None:
    if told is not None and not (type(told) is int and told >= 1):
        refuse(str(stream), f"limit={told!r} is not possible: write how many branches may run at once, 1 or more")


def _check_key(stream: Frozen, what: str, told: object) -> None:
    if type(told) is not str or not told:
        refuse(str(stream), f"{what}={told!r} is no key of the water: write a text, such as {what}='file'")
