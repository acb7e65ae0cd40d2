"""A payment whose process dies after the bank has paid and before that is on disk: it is not paid twice.

    python examples/reconcile.py

This bank pays as often as it is asked. So the river does not ask again when nobody knows what became of an attempt:
`reconcile` looks for the payment by `self.key`, which is the same before and after the crash. The program runs itself
twice, as processes of their own: the first kills itself (SIGKILL) at the worst moment, the second goes on.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from vastflow import Andes, Atlantic, Engine, Headwaters, Retry, River


class Bank:
    """Keeps its books in a file, one line for each payment; it lives on when the process dies."""

    def __init__(self, books: Path) -> None:
        """Open the books."""
        self.books = books

    def pay(self, amount: int, reference: str) -> None:
        with self.books.open("a", encoding="utf-8") as books:
            books.write(f"{amount} {reference}\n")

    def has_paid(self, reference: str) -> bool:
        return any(line.split()[1] == reference for line in self.payments())

    def payments(self) -> list[str]:
        return self.books.read_text("utf-8").splitlines() if self.books.exists() else []


class Water(Headwaters):
    amount: int


class Pay(River):
    retry_times = 3

    def flow(self, water: Water) -> None:
        say("flow: asks the bank to pay")
        self.resource("bank").pay(water.amount, self.key)
        if self.resource("doomed"):
            say("killed, before it could write that down")
            os.kill(os.getpid(), signal.SIGKILL)

    def reconcile(self, water: Water) -> None:  # called instead, when nobody knows what became of `flow`
        if not self.resource("bank").has_paid(self.key):
            raise Retry("the bank knows nothing of it")
        say(f"reconcile: the bank has paid {water.amount} already")


class Paid(Atlantic):
    def success(self, water: Water) -> None:
        say(f"success: {water.amount} paid")


andes = Andes("payment", Water) >> Pay() >> Paid()


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def work(folder: Path, *, doomed: bool) -> None:
    resources = {"bank": Bank(folder / "books"), "doomed": doomed}
    with Engine(f"sqlite:///{folder}/payments.db", resources=resources) as engine:
        engine.start(andes, amount=100, id="invoice-7").result()


def show() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for word in ("doomed", "next"):
            print(f"the {word} process", flush=True)
            subprocess.run([sys.executable, __file__, word, folder], check=False)  # noqa: S603 - this very program
        print(f"payments in the books of the bank: {len(Bank(Path(folder, 'books')).payments())}")


match sys.argv[1:]:
    case [word, folder]:
        work(Path(folder), doomed=word == "doomed")
    case _:
        show()
