"""Is a letter done exactly once, whenever the process that serves the store dies?"""

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.engine.scenes import PATIENT, drawn, nothing, puts, raises, river
from vastflow import Continue, Engine
from vastflow.actors.letters import write_command, write_start
from vastflow.course.commands import Pause
from vastflow.drawing import Andes
from vastflow.drawing.launcher import Terms
from vastflow.drawing.laying import lay
from vastflow.engine.admission import begin_row
from vastflow.errors import FlowConflict
from vastflow.ledger.inbox import Inbox
from vastflow.ledger.sqlite import SQLiteStore
from vastflow.runtime import Simulated

QUICK = drawn(river("a", puts(a=1)), name="quick")
SLOW = drawn(river("s", nothing, raises(lambda: Continue("not yet")), cycle_interval="1h", deadline="9h"), name="slow")


class Post:
    """A store file without a server, letters put into its inbox, and one server after another on virtual time."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.path = folder / "flows.db"
        self.inbox = Inbox(self.path)
        self.runtime = Simulated(seed)
        self.store = SQLiteStore(self.path, "power-loss-may-break-the-file")
        self.engine: Engine

    def serve(self) -> None:
        self.store = SQLiteStore(self.path, "power-loss-may-break-the-file")
        self.engine = Engine(store=self.store, runtime=self.runtime, jitter=0.0, crash_limit=PATIENT)

    def move(self, moves: int) -> None:
        """Let so many things happen, none later than in a second."""
        limit = self.runtime.clock.now() + 1_000_000
        for _ in range(moves):
            self.runtime._happen(limit)  # noqa: SLF001  # a pump would leap an hour when nothing else is to be done

    def die(self) -> None:
        self.runtime.crash()
        self.store.close()
        self.engine._mail.close()  # noqa: SLF001  # which nobody does who dies

    def start(self, andes: Andes[Any], flow_id: str, **values: Any) -> int:
        laid, terms = lay(andes, None, values), Terms(flow_id)
        row, _ = begin_row(laid, terms, self.runtime.clock.now(), self.runtime.entropy)
        return self.inbox.put("start", flow_id, write_start(row, laid.stored), "anna", 1)

    def said(self, no: int) -> str:
        stored = self.store.answer(self.inbox.id, no)
        assert stored is not None
        told = msgspec.json.decode(stored)
        return str(told.get("error") or told["what"])


@pytest.mark.promise("11.2")
@pytest.mark.parametrize("moves", range(0, 60, 2))
def test_letters_are_done_exactly_once_whenever_the_server_dies(tmp_path: Path, moves: int) -> None:
    post = Post(tmp_path, seed=moves)
    with closing(post.inbox):
        quick, again, other = post.start(QUICK, "q"), post.start(QUICK, "q"), post.start(QUICK, "q", x=1)
        slow = post.start(SLOW, "slow")
        asked = [post.inbox.put("pause", "slow", write_command(Pause()), "anna", 1) for _ in range(2)]
        for number in range(3):
            post.inbox.put("signal", "slow", b'{"name":"go","value":%d}' % number, "anna", 1)
        post.serve()
        post.move(moves)
        post.die()
        post.serve()
        post.runtime.advance(3)

        assert post.inbox.letters() == []
        assert [post.said(no) for no in (quick, slow, other)] == ["done", "done", "FlowConflict"]
        assert post.said(again) == "already"
        assert [post.said(no) for no in asked] == ["done", "already"]
        assert {flow.id for flow in post.engine.flows()} == {"q", "slow"}
        assert post.engine.flow("q").result() == {"a": 1}
        kinds = Counter(event.kind for event in post.engine.flow("slow").events() if event.who)
        assert kinds == {"paused": 1, "signalled": 3}
        post.engine.close()


@pytest.mark.promise("11.2", "2.11")
@pytest.mark.parametrize("seed", range(20))
def test_a_letter_whose_id_is_taken_while_it_is_on_its_way_to_the_disk_is_looked_at_again(
    tmp_path: Path, seed: int
) -> None:
    post = Post(tmp_path, seed)
    with closing(post.inbox):
        post.serve()
        letter = post.start(QUICK, "one", n=1)
        post.move(seed)
        try:
            begun = post.engine._admission.begin(QUICK, None, {"n": 2}, Terms("one")).written  # noqa: SLF001  # not waited for
            if begun is not None:
                post.runtime.wait(begun)
            mine = True
        except FlowConflict:
            mine = False
        post.runtime.advance(2)

        assert post.engine.flow("one").result() == {"n": 2 if mine else 1, "a": 1}
        assert post.said(letter) == ("FlowConflict" if mine else "done")
        assert post.inbox.letters() == []
        assert not post.engine.flow("one").status().stranded
        post.engine.close()
