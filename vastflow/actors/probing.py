"""How does another process ask how flows stand at this moment?

By a letter of the kind `probe` that names flows; its answer says how each of them stands that is under way here. It
decides nothing: one that was left lying is answered, and nobody minds.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future

import msgspec

from vastflow.actors.letters import Said
from vastflow.actors.messages import Probe
from vastflow.errors import StoreUnreadable
from vastflow.ledger.contract import Reader
from vastflow.ledger.inbox import Letter
from vastflow.runtime import Ref
from vastflow.why.live import Situation, read_situations, write_situations

__all__ = ["PROBE", "Gathering", "Inquiry", "ask_all", "read_inquiry", "said_of_probe", "seen_in", "write_inquiry"]

PROBE = "probe"
"""The kind of such a letter."""

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(tuple[str, ...]).decode


class Inquiry(msgspec.Struct, frozen=True):
    """Say how these flows stand; `seen` is done when that is known."""

    flows: tuple[str, ...]
    seen: "Future[tuple[Situation, ...]]"


def write_inquiry(flows: tuple[str, ...]) -> bytes:
    """Return what such a letter says."""
    return _ENCODE(flows)


def read_inquiry(letter: Letter) -> Inquiry:
    """Return what such a letter asks for.

    Raises:
        StoreUnreadable: that cannot be read.
    """
    try:
        flows = _DECODE(letter.payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"letter {letter.no} of the inbox cannot be read ({error}): ask again"
        raise StoreUnreadable(message) from error
    return Inquiry(flows, Future())


def said_of_probe(seen: tuple[Situation, ...]) -> Said:
    """Return the answer that says so."""
    return Said("done", write_situations(seen))


def seen_in(said: Said) -> tuple[Situation, ...]:
    """Return what an answer says; nothing if whoever answered knows no such letters."""
    return read_situations(said.reason) if said.what == "done" else ()


def ask_all(inquiry: Inquiry, reader: Reader, supervisor: Callable[[str], Ref]) -> None:
    """Have an inquiry answered by the supervisors of the flows it names."""
    names: dict[str, list[str]] = {}
    for flow_id in inquiry.flows:
        if (row := reader.flow(flow_id)) is not None and not row.ended:
            names.setdefault(row.name, []).append(flow_id)
    gathering = Gathering(inquiry.seen, len(names))
    for name, flow_ids in names.items():
        supervisor(name).tell(Probe(tuple(flow_ids), gathering.part()))


class Gathering:
    """What several supervisors say, until all have said it."""

    def __init__(self, seen: "Future[tuple[Situation, ...]]", count: int) -> None:
        """Complete `seen` when so many have said something; at once if none is asked."""
        self._seen = seen
        self._left = count
        self._lock = threading.Lock()
        self._found: list[Situation] = []
        if not count:
            seen.set_result(())

    def part(self) -> "Future[tuple[Situation, ...]]":
        """Return what one supervisor is to complete."""
        part: Future[tuple[Situation, ...]] = Future()
        part.add_done_callback(self._heard)
        return part

    def _heard(self, part: "Future[tuple[Situation, ...]]") -> None:
        with self._lock:
            self._left -= 1
            if part.exception() is None:
                self._found += part.result()
            last = self._left == 0
        if last and not self._seen.done():
            self._seen.set_result(tuple(self._found))
