"""How do chains, parallel rivers, eaches and basins run (5.6, 5.7, 6, 7.1)?"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain, combinations, count, repeat
from typing import Any

from tests.course.model.clockwork import Process, Tie, when
from tests.course.model.reckoning import Delta, Water, encoded, share, wait, written
from tests.course.model.records import WELL, End, Part, Tally, Where, collected
from tests.course.model.rivers import Rivers
from vastflow.drawing.chart import BasinPlace, Chain, EachPlace, ParallelPlace, RiverPlace

__all__ = ["Streams"]


class Streams(Rivers):
    """Runs whatever is drawn."""

    def cancel(self, part: Part) -> None:
        """Cancel a part, and let go in the end of what does not stop (7.4)."""
        if not part.cancelled:
            if any(run.last == self.now and part in run.where.part.up() for run in self.runs.values()):
                raise Tie(part)  # did the cancel come first, or the body?
            part.cancelled, part.since = True, self.now
            self.spawn(self.grace(part))

    def grace(self, part: Part) -> Process[None]:
        """Wait for the atomic rivers, then for the grace."""
        yield from self.first(none=lambda: when(not part.atomic))
        over = self.now + self.case.cancel_grace
        part.over = (yield from self.first(ended=lambda: when(part.ended), over=over)) == "over"

    def chain(self, places: Chain, where: Where, water: Water, past: End | None) -> Process[End]:
        """Run streams one after another, until one does not end well or the part is cancelled (7.1, 7.4, 8.4)."""
        if past and past.kept():
            return past
        where, ends, delta = replace(where, undos={}), list[End](), Delta()
        kept = chain(past.inside if past else (), repeat(None))
        for place in places:
            if (end := next(kept)) is None or not end.kept():
                kept = chain([], repeat(None))
                if where.part.stopped():
                    break
                here = replace(where, nth=(*where.nth, len(ends)))
                end = yield from STREAMS[type(place)](self, place, here, written(water, delta), end)
            ends.append(end)
            delta |= end.delta
            if end.result not in WELL:
                break
        results, failure = {end.result for end in ends}, ends[-1].failure if ends else None
        result = next((each for each in ("fail", "cancelled") if each in results), "success")
        result = "skipped" if results == {"skipped"} else result
        result = "cancelled" if len(ends) < len(places) and result in WELL else result
        return End(result, delta, failure, [run for end in ends for run in end.runs], ends, where.undos)

    def parallel(self, place: ParallelPlace, where: Where, water: Water, past: End | None) -> Process[End]:
        """Run branches side by side and merge what they wrote (5.6, 6.1)."""
        part, number = Part(where.part), len(place.branches)
        again = past and place.join != "any" and not all(end.kept() for end in past.inside)
        before = past.inside if past and again else repeat(None)
        tally = Tally(place.join, 0 if place.join == "any" else share(place.max_failures, number), part, number)
        begins = zip(place.branches, repeat(replace(where, part=part)), repeat(water), before, strict=False)
        yield from self.fork(tally, (self.chain(*begin) for begin in begins), number)
        result, ends = tally.result(), [tally.ends[index] for index in range(number)]
        if any(end.delta for end in ends if end.result == "skipped"):
            raise Tie(place.name)  # the text leaves open whether it is merged
        good = [end for end in ends if end.result in WELL] if tally.winner is None else [ends[tally.winner]]
        pairs = combinations(good, 2) if result == "success" and place.on_conflict == "fail" else ()
        conflict = any(one.delta[key] != two.delta[key] for one, two in pairs for key in one.delta.keys() & two.delta)
        failure = self.failed("conflict", where.address(place)) if conflict else tally.cause(result)
        result = "fail" if conflict else result
        counted = good if result in WELL else ends
        delta = {key: value for end in counted for key, value in end.delta.items()}
        return End(result, delta, failure, [run for end in ends for run in end.runs], ends, counted=counted)

    def each(self, place: EachPlace, where: Where, water: Water, past: End | None) -> Process[End]:
        """Run one branch for each item, and collect what they left (6.2)."""
        address, part = where.address(place), Part(where.part)
        items = json.loads(water.get(place.key, "null"))
        if not isinstance(items, list):
            return End("fail", {}, self.failed("error", address))
        before = chain(past.inside if past else (), repeat(None))
        alone = len(place.streams) == 1 and not isinstance(place.streams[0], ParallelPlace)
        waters = [water | encoded({place.item: item}) for item in items]
        tally = Tally("all", share(place.max_failures, len(items)), part, len(items))
        stand = [f"[{index}]" for index in range(len(items))]
        within = replace(where, part=part)
        spots = [
            replace(within, suffix=end) if alone else replace(within, prefix=f"{address}{end}/", suffix="")
            for end in stand
        ]
        branches = (self.chain(place.streams, *begin) for begin in zip(spots, waters, before, strict=False))
        yield from self.fork(tally, branches, len(items) if place.limit is None else place.limit)
        ends = [tally.ends[index] for index in range(len(tally.ends))]
        left = {outer: collected(inner, waters, ends) for inner, outer in place.collect.items()}
        delta: Delta = {key: value for key, value in left.items() if water.get(key) != value}
        result = "success" if tally.result() in WELL else tally.result()
        later = past.inside[len(ends) :] if past else []  # no slot was free for them in this round
        return End(result, delta, tally.cause(result), [run for end in ends for run in end.runs], [*ends, *later])

    def fork(self, tally: Tally, branches: Iterable[Process[End]], limit: int) -> Process[None]:
        """Begin branches, so many at once, and wait until all have ended."""
        for number, branch in enumerate(branches):
            if tally.running == limit:
                slot = lambda: when(tally.running < limit)  # noqa: E731 - a moment as any other
                yield from self.first(stopped=lambda: when(tally.part.stopped()), slot=slot)
            if tally.part.stopped():
                break
            tally.open, tally.running = tally.open + 1, tally.running + 1
            self.spawn(self.branch(tally, number, branch))
        yield from self.first(ended=lambda: when(tally.open == 0))
        tally.part.ended = True

    def branch(self, tally: Tally, number: int, process: Process[End]) -> Process[None]:
        """Run one branch; say what its end means for the others; undo it if it is tolerated or has lost (6.1)."""
        began = self.now
        end = tally.ends[number] = yield from process
        tally.running -= 1
        wins = tally.join == "any" and end.result in {"success", "continued"}
        if began == self.now and tally.total > 1 and (wins or end.result == "fail"):
            raise Tie(number)  # had the others begun?
        if end.result == "fail":
            tally.failed.append(end)
        if tally.join == "any":
            if wins and tally.winner is None:
                tally.winner = number
                self.cancel(tally.part)
            yield from self.first(known=lambda: when(tally.winner is not None or tally.running == 0))
            leaves = tally.winner not in {None, number}
        else:
            leaves = end.result == "fail" and len(tally.failed) <= tally.allowed
            if end.result == "fail" and not leaves and tally.join == "all":
                self.cancel(tally.part)
        if leaves:
            yield from self.undo(end.runs)
        tally.open -= 1

    def basin(self, place: BasinPlace, where: Where, water: Water, past: End | None) -> Process[End]:
        """Try a basin in water of its own until it ends well or its retries are used up (5.7, 6.3)."""
        address, part = where.address(place), where.part
        before = past.inside[0] if past and past.inside and not past.inside[0].kept() else None
        for number in count():
            end = yield from self.inside(place, where, water, before)
            if end.result != "fail" or number >= place.retry.times or part.stopped():
                break
            yield from self.undo(end.runs)
            if (yield from self.waits(part, self.now + wait(place.retry, number))) == "stopped":
                return replace(end, result="cancelled", failure=None, inside=[])  # it was to begin anew
            before = None
            inner = f"{address}/"
            self.failures = {at: kind for at, kind in self.failures.items() if not at.startswith(inner)}
        if end.failure:
            exhausted = number > 0 and number >= place.retry.times
            end.failure = self.failed("retries-exhausted" if exhausted else end.failure[1], address)
            if place.continue_on_failure:
                yield from self.undo(end.runs)
                return replace(end, result="continued", failure=None)
        return end

    def waits(self, part: Part, due: int) -> Process[str]:
        """Wait, unless a cancel ends that."""
        return self.first(stopped=lambda: when(part.stopped()), due=lambda: self.held(due))

    def inside(self, place: BasinPlace, where: Where, water: Water, past: End | None) -> Process[End]:
        """Run what is in a basin once: inputs flow in, and of a good end the outputs flow out (5.7)."""
        address = where.address(place)
        if (yield from self.waits(where.part, self.now)) == "stopped":
            if any(part.since == self.now for part in where.part.up()):
                raise Tie(address)  # did the cancel come first, or the water?
            return End("cancelled", {})
        inputs = {key: key for key in water} if place.inputs is None else place.inputs
        if not inputs.keys() <= water.keys():
            return End("fail", {}, (self.now, "error", ""))
        within = {key: water[outer] for outer, key in inputs.items()}
        within |= encoded(self.case.adds(address))
        inner = Where(where.part, f"{address}/", nth=where.nth, entered=where.entered + (past is None))
        end = yield from self.chain(place.streams, inner, within, past)
        whole = End("success" if end.result == "continued" else end.result, {}, end.failure, end.runs, [end])
        left = written(within, end.delta)
        if end.result not in WELL:
            return whole
        if not place.outputs.keys() <= left.keys():
            return replace(whole, result="fail", failure=(self.now, "error", ""))
        out = {outer: left[key] for key, outer in place.outputs.items()}
        return replace(whole, delta={key: value for key, value in out.items() if water.get(key) != value})


STREAMS: Mapping[type, Any] = {
    RiverPlace: Streams.river,
    ParallelPlace: Streams.parallel,
    EachPlace: Streams.each,
    BasinPlace: Streams.basin,
}
