"""How is a text handled that must not be read by chance?

It is wrapped. Whatever is printed, logged or raised shows the wrapping; only `reveal()` gives the text, at the place
where it is used. What a running body has revealed is remembered until its end, so that it can be masked.
"""

from contextvars import ContextVar
from typing import Final, NoReturn, Self, final

__all__ = ["TAG", "Secret", "forget", "remember", "revealed"]

TAG: Final = "$secret"
"""The tag under which a Secret is stored (docs/format.md)."""

_SHOWN = "*****"
_REVEALED: ContextVar[set[str] | None] = ContextVar("vastflow_revealed", default=None)


@final
class Secret:
    """A text that is shown nowhere: `Secret("s3cr3t")` prints as `Secret('*****')`, `.reveal()` returns the text.

    It can be stored like any text (and is stored as it is, not encrypted: whoever may read the store may read it).
    """

    __slots__ = ("__text",)
    __text: str

    def __init__(self, text: str, /) -> None:
        """Wrap a text.

        Raises:
            TypeError: it is no text; what was given is not shown.
        """
        if type(text) is not str:
            message = f"Secret(...) was given a {type(text).__qualname__}, it wraps a text: write Secret(str(value))"
            raise TypeError(message)
        object.__setattr__(self, "_Secret__text", text)

    def reveal(self) -> str:
        """Return the text.

        Where it goes from here is your care; but in the log lines and the failure of the body that asked, it is masked.
        """
        if (known := _REVEALED.get()) is not None:
            known.add(self.__text)
        return self.__text

    def __repr__(self) -> str:
        """Show that it is a secret, and nothing of the text."""
        return f"Secret({_SHOWN!r})"

    def __format__(self, spec: str) -> str:
        """Show the same, padded as asked for."""
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        """Say whether the other is a Secret with the same text; a plain text never is equal."""
        return self.__text == other.__text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        """Return a hash that fits `==`."""
        return hash((Secret, self.__text))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: it does not change."""
        message = f"Secret.{name} cannot be set, a Secret does not change: make another one"
        raise AttributeError(message)

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse: it does not change."""
        message = f"Secret.{name} cannot be deleted, a Secret does not change"
        raise AttributeError(message)

    def __copy__(self) -> Self:
        """Return itself, since it does not change."""
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        """Return itself, since it does not change."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled, which would write the text where nobody looks for it."""
        message = "a Secret is not pickled: hand over what reveal() returns, where you know who reads it"
        raise TypeError(message)


def remember() -> None:
    """Remember from now on what is revealed in this thread or task."""
    _REVEALED.set(set())


def forget() -> None:
    """Forget what was revealed in this thread or task, and remember nothing more."""
    _REVEALED.set(None)


def revealed() -> frozenset[str]:
    """Return the texts that were revealed in this thread or task since `remember()`."""
    return frozenset(_REVEALED.get() or ())
