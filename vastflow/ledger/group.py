"""How do threads that write at once share one commit?

The first of them leads: it writes what all who came meanwhile handed in, and then the next of those who came later
leads. So a commit that takes a while costs each of many threads two of them at most, and not one for each.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from vastflow.errors import BatchRefused, StoreError

__all__ = ["GroupCommit"]

T = TypeVar("T")


class _Item(Generic[T]):
    """What one thread handed in, and what became of it."""

    __slots__ = ("error", "number", "sign", "value")

    def __init__(self, value: T) -> None:
        self.value = value
        self.number: int | None = None
        self.error: StoreError | None = None
        # That it is over, or that its thread is to lead.
        self.sign = threading.Event()

    @property
    def is_over(self) -> bool:
        return self.number is not None or self.error is not None

    def outcome(self) -> int:
        """Return the number it got.

        Raises:
            StoreError: why it got none.
        """
        if self.error is not None:
            # Anew for each thread, since many may have waited for one commit.
            raise type(self.error)(*self.error.args) from self.error
        return self.number or 0


class GroupCommit(Generic[T]):
    """Writes what any number of threads hand in, with as few commits as it can."""

    def __init__(self, write: Callable[[Sequence[T]], Sequence[int]]) -> None:
        """Keep how it is done.

        Args:
            write: writes all of these, or nothing, and returns a number for each; raises BatchRefused if one of them
                cannot be written whatever the disk does. Never called by two threads at once.
        """
        self._write = write
        self._mutex = threading.Lock()
        self._waiting: list[_Item[T]] = []
        self._is_led = False

    def put(self, value: T) -> int:
        """Write one value, durable on return, and return its number.

        Raises:
            BatchRefused: it cannot be written.
            StoreError: nothing can be written now.
        """
        item = _Item(value)
        with self._mutex:
            self._waiting.append(item)
            leads, self._is_led = not self._is_led, True
        try:
            if not leads:
                item.sign.wait()
            if not item.is_over:
                self._lead()
        except BaseException:
            self._leave(item)
            raise
        return item.outcome()

    def _lead(self) -> None:
        with self._mutex:
            items, self._waiting = self._waiting, []
        try:
            self._write_all(items)
        finally:
            with self._mutex:
                self._pass_on()
            for item in items:
                if not item.is_over:
                    item.error = StoreError("writing was interrupted; look whether it was done")
                item.sign.set()

    def _pass_on(self) -> None:
        self._is_led = bool(self._waiting)
        if self._waiting:
            self._waiting[0].sign.set()

    def _leave(self, item: _Item[T]) -> None:
        """Take back what a thread handed in that was interrupted while it waited, and its turn to lead."""
        with self._mutex:
            if item in self._waiting:
                self._waiting.remove(item)
                if item.sign.is_set():
                    self._pass_on()

    def _write_all(self, items: Sequence[_Item[T]]) -> None:
        try:
            numbers = self._write([item.value for item in items])
        except BatchRefused:
            # One of them; which, is found by writing each alone.
            for item in items:
                self._write_alone(item)
        except StoreError as error:
            for item in items:
                item.error = error
        else:
            for item, number in zip(items, numbers, strict=True):
                item.number = number

    def _write_alone(self, item: _Item[T]) -> None:
        try:
            (item.number,) = self._write([item.value])
        except StoreError as error:
            item.error = error
