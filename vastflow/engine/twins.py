"""How does a program on asyncio use an engine?

By the awaitable twins of `Engine` and `Flow`: the same names, the same arguments, nothing blocks the event loop. What
is short runs in threads of the twin's own; to wait for a flow's end holds no thread.
"""

import asyncio
import contextvars
import functools
import threading
from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, overload

from vastflow.actors.ledger import Trouble
from vastflow.actors.letters import Said
from vastflow.course import Progress
from vastflow.drawing import Andes, Headwaters
from vastflow.drawing.durations import Moment
from vastflow.drawing.launcher import Terms
from vastflow.engine.engine import Engine
from vastflow.engine.flow import Flow
from vastflow.errors import EngineClosed
from vastflow.ledger.reading import FlowStatus

__all__ = ["AsyncEngine", "AsyncFlow"]

P = ParamSpec("P")
T = TypeVar("T")
W = TypeVar("W", bound=Headwaters)
_MOST = 16  # threads of a kind: enough for starts to share their commits


class _Threads:
    """The threads of one engine's twin.

    Starts have their own, since they may wait long for a place: what would make them one, a cancel or a signal, must
    never wait behind them.
    """

    def __init__(self) -> None:
        self._starting = ThreadPoolExecutor(_MOST, "vastflow-async-start")
        self._others = ThreadPoolExecutor(_MOST, "vastflow-async")
        self._closed = False

    async def run(self, call: Callable[..., T], *args: Any, **named: Any) -> T:
        """Call a function in a thread, with the context of whoever awaits it."""
        return await self._submit(self._others, functools.partial(call, *args, **named))

    async def start(self, call: Callable[..., T], *args: Any, **named: Any) -> T:
        """Call one that starts flows."""
        return await self._submit(self._starting, functools.partial(call, *args, **named))

    def close(self) -> None:
        """Let the threads end as soon as they have done what they are at; may come twice."""
        self._closed = True
        self._starting.shutdown(wait=False)
        self._others.shutdown(wait=False)

    async def _submit(self, pool: ThreadPoolExecutor, call: Callable[[], T]) -> T:
        if self._closed:
            raise EngineClosed("the engine was closed: make a new one to go on")
        return await asyncio.get_running_loop().run_in_executor(pool, contextvars.copy_context().run, call)


class _Twinned(Protocol):
    """What has a twin that blocks, and threads to call it in."""

    _threads: _Threads

    def _blocking(self) -> Any: ...


class _Twin(Generic[P, T]):
    """The awaitable form of a method."""

    def __init__(self, method: Callable[Concatenate[Any, P], T]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, twin: _Twinned | None, owner: type[Any]) -> Callable[P, Coroutine[Any, Any, T]]:
        if twin is None:
            return self  # type: ignore[return-value]  # documentation tools look at the class itself
        return functools.partial(_in_thread, twin, self._method)


async def _in_thread(twin: _Twinned, method: Callable[..., T], *args: Any, **named: Any) -> T:
    return await twin._threads.run(method, twin._blocking(), *args, **named)  # noqa: SLF001  # the same page


def _like(method: Callable[Concatenate[Any, P], Any]) -> Callable[[Callable[..., T]], Callable[Concatenate[Any, P], T]]:
    """Give a function the signature of a method, so that it stands in one place."""

    def given(function: Callable[..., T]) -> Callable[Concatenate[Any, P], T]:
        function.__doc__ = function.__doc__ or method.__doc__
        return function

    return given


class AsyncFlow(Generic[W]):
    """One flow, as a program on asyncio sees it: `Flow`, awaitable."""

    __slots__ = ("_flow", "_threads")

    def __init__(self, flow: Flow[W], threads: _Threads) -> None:
        """Hold on to the handle that blocks; `AsyncEngine` makes these."""
        self._flow = flow
        self._threads = threads

    @property
    def id(self) -> str:
        """The user's id, or the one the engine made."""
        return self._flow.id

    status = _Twin(Flow.status)
    why = _Twin(Flow.why)
    events = _Twin(Flow.events)
    cancel = _Twin(Flow.cancel)
    pause = _Twin(Flow.pause)
    resume = _Twin(Flow.resume)
    retry = _Twin(Flow.retry)
    skip = _Twin(Flow.skip)
    complete = _Twin(Flow.complete)
    set = _Twin(Flow.set)
    signal = _Twin(Flow.signal)

    async def result(self, timeout: float | None = None) -> W:  # noqa: ASYNC109  # as in `Flow.result`
        """Wait until the flow's Atlantic has ended and return the final water; raises what `Flow.result` raises.

        Args:
            timeout: seconds to wait at most; None for as long as it takes.
        """
        progress = await self._await_end(timeout)
        return await self._threads.run(self._flow._outcome, progress)  # noqa: SLF001  # its twin

    async def wait(self, timeout: float | None = None) -> FlowStatus:  # noqa: ASYNC109  # as in `Flow.wait`
        """Wait until the flow has ended or was stranded, and return its status; raises what `Flow.wait` raises.

        Args:
            timeout: seconds to wait at most; None for as long as it takes.
        """
        await self._await_end(timeout)
        return await self.status()

    def __await__(self) -> Generator[Any, None, W]:
        """Wait for the result."""
        return self.result().__await__()

    def __repr__(self) -> str:
        """Say which flow it is."""
        return f"<AsyncFlow {self.id}>"

    def _blocking(self) -> Flow[W]:
        return self._flow

    async def _await_end(self, limit: float | None) -> Progress | None:
        try:
            async with asyncio.timeout(limit):
                settling = await self._ask(_settling)
                if settling is not None:
                    await asyncio.wrap_future(settling)
                ending = await self._ask(_ending)
                return await asyncio.wrap_future(ending)
        except TimeoutError:
            message = f"flow {self.id!r} has not ended within {limit} seconds; it goes on: ask again later"
            raise TimeoutError(message) from None

    async def _ask(self, question: Callable[[Flow[Any]], T]) -> T:
        """Ask for a future; if whoever asks gives up meanwhile, it is not kept."""
        asked = asyncio.ensure_future(self._threads.run(question, self._flow))
        try:
            return await asyncio.shield(asked)
        except asyncio.CancelledError:
            asked.add_done_callback(_give_up)
            raise


def _settling(flow: Flow[Any]) -> "Future[Said] | None":
    """Return a future that is done when the flow's letter is answered; None if there is nothing to wait for."""
    posted = flow._posted  # noqa: SLF001  # its twin
    return flow._engine.settling(posted) if posted is not None else None  # noqa: SLF001  # its twin


def _ending(flow: Flow[Any]) -> "Future[Progress | None]":
    """Return a future that is done when the flow has ended, now that its letter is answered."""
    flow._settle()  # noqa: SLF001  # its twin
    return flow._engine.ending(flow.id)  # noqa: SLF001  # its twin


def _give_up(asked: "asyncio.Task[Any]") -> None:
    """Let a future go that nobody waits for any more."""
    if not asked.cancelled() and asked.exception() is None and asked.result() is not None:
        asked.result().cancel()


class AsyncEngine:
    """`Engine`, awaitable; it is opened by `async with`, or by `open()`, and closed at the end of the block.

    It takes what `Engine` takes; or an `Engine` that is open already, which it does not close.
    """

    @_like(Engine.__init__)
    def __init__(self, *args: Any, **settings: Any) -> None:
        """Note how the engine is to be opened."""
        self._make = functools.partial(Engine, *args, **settings)
        self._opening = threading.Lock()
        self._engine: Engine | None = None
        self._lent = False
        self._closed = False
        self._threads = _Threads()

    @classmethod
    def of(cls, engine: Engine) -> Self:
        """Return the twin of an engine that is open, and stays so."""
        twin = cls()
        twin._engine, twin._lent = engine, True
        return twin

    async def open(self) -> Self:
        """Open the store and go on with what is unfinished in it, or stand by; raises what `Engine` raises.

        If this is cancelled on the way, `close()` lets go of the store; `async with` does both.
        """
        await self._threads.run(self._open)
        return self

    async def __aenter__(self) -> Self:
        """Open."""
        try:
            return await self.open()
        except BaseException:
            await self.close(0.0)  # whoever gave up while the store was being opened must not keep it
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await self.close()

    gc = _Twin(Engine.gc)
    stuck = _Twin(Engine.stuck)
    backup = _Twin(Engine.backup)

    @property
    def serves(self) -> bool:
        """Whether it serves the store at present; if not, it stands by, or is not open."""
        return self._engine is not None and self._engine.serves

    @property
    def trouble(self) -> Trouble | None:
        """That the store cannot be written at present, and why; as `Engine.trouble`."""
        return self._engine.trouble if self._engine is not None else None

    async def start(  # noqa: PLR0913  # as in `Engine.start`
        self,
        andes: Andes[W],
        water: W | Mapping[str, Any] | None = None,
        *,
        id: str | None = None,  # noqa: A002  # the word users look for
        tags: Mapping[str, str] | None = None,
        not_before: Moment | None = None,
        deadline: Moment | None = None,
        wait: float | None = None,
        **values: Any,
    ) -> AsyncFlow[W]:
        """Start a flow; it is on disk when this returns. `Engine.start` says what is what, and what it raises.

        Whoever cancels this does not know whether the flow begins: give it an id, and ask.
        """
        terms = Terms(id, tags or {}, not_before, deadline, wait)
        return self._twin_of(await self._threads.start(Engine.launch, self._blocking(), andes, water, values, terms))

    async def start_many(
        self, andes: Andes[W], waters: Iterable[W | Mapping[str, Any]], *, wait: float | None = None
    ) -> list[AsyncFlow[W]]:
        """Start a flow for each of these waters, in few commits; raises what `Engine.start_many` raises."""
        started = await self._threads.start(Engine.start_many, self._blocking(), andes, waters, wait=wait)
        return [self._twin_of(flow) for flow in started]

    @overload
    async def flow(self, flow_id: str) -> AsyncFlow[Headwaters]: ...

    @overload
    async def flow(self, flow_id: str, water: type[W]) -> AsyncFlow[W]: ...

    async def flow(self, flow_id: str, water: type[Headwaters] = Headwaters) -> AsyncFlow[Any]:
        """Return a handle on a flow there is; raises what `Engine.flow` raises."""
        return self._twin_of(await _in_thread(self, Engine.flow, flow_id, water))

    async def flows(
        self,
        *,
        state: str | Sequence[str] = (),
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> list[AsyncFlow[Headwaters]]:
        """Return handles on flows, the newest first; `Engine.flows` says what is what, and what it raises."""
        asked = {"state": state, "name": name, "tags": tags, "limit": limit, "after": after}
        return [self._twin_of(flow) for flow in await _in_thread(self, Engine.flows, **asked)]

    async def close(self, drain: float = 5.0) -> bool:
        """Stop serving, as `Engine.close` does; an engine that was lent stays open.

        Args:
            drain: seconds that running bodies get to end.

        Returns:
            True if no body was left running.
        """
        closer = ThreadPoolExecutor(1, "vastflow-async-close")  # all others may be waiting for what only this ends
        try:
            return await asyncio.get_running_loop().run_in_executor(closer, self._shut, drain)
        finally:
            closer.shutdown(wait=False)
            self._threads.close()

    def _open(self) -> None:
        with self._opening:
            if self._closed:
                raise EngineClosed("the engine was closed while it was being opened")
            if self._engine is None:
                self._engine = self._make()

    def _shut(self, drain: float) -> bool:
        with self._opening:
            self._closed = True
        return self._engine is None or self._lent or self._engine.close(drain)

    def _twin_of(self, flow: Flow[W]) -> AsyncFlow[W]:
        return AsyncFlow(flow, self._threads)

    def _blocking(self) -> Engine:
        if self._engine is None:
            message = "the engine is not open yet: write `async with AsyncEngine(url) as engine:`, or `await open()`"
            raise EngineClosed(message)
        return self._engine
