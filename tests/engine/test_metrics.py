"""Is what an engine does counted, and told as monitoring systems read it?"""

import re

from tests.engine.scenes import LONG, drawn, nothing, puts, raises, river
from tests.engine.standing import Crew, until
from vastflow import Continue, Fail

QUICK = drawn(river("a", puts(a=1)), name='qu"ick\\')


def test_flows_and_facts_are_counted(crew: Crew) -> None:
    engine = crew.engine()
    waits = drawn(river("slow", nothing, raises(lambda: Continue("no")), cycle_interval="1h", deadline="9h"), name="w")
    for _ in range(3):
        engine.start(QUICK).result(LONG)
    engine.start(drawn(river("a", raises(lambda: Fail("no"))), name="broken")).wait(LONG)
    engine.start(waits)
    until(lambda: engine.metrics().facts.get("flowed") == 4)

    found = engine.metrics()

    assert found.serves
    assert not found.trouble
    assert found.flows == 1
    assert found.started == {'qu"ick\\': 3, "broken": 1, "w": 1}
    assert found.ended == {('qu"ick\\', "success"): 3, ("broken", "fail"): 1}
    assert found.facts["started"] == 5
    assert (found.queued, found.tasks, found.abandoned) == (0, 0, 0)


def test_a_flow_that_is_retried_is_started_once_and_ended_twice(crew: Crew) -> None:
    engine = crew.engine()
    flow = engine.start(drawn(river("a", raises(lambda: Fail("no"))), name="broken"), id="one")
    flow.wait(LONG)
    flow.retry()
    flow.wait(LONG)

    assert engine.metrics().started == {"broken": 1}
    assert engine.metrics().ended == {("broken", "fail"): 2}


def test_prometheus_can_read_it(crew: Crew) -> None:
    engine = crew.engine()
    engine.start(QUICK).result(LONG)

    lines = engine.metrics().prometheus().splitlines()

    assert "vastflow_serves 1" in lines
    assert 'vastflow_flows_started_total{name="qu\\"ick\\\\"} 1' in lines
    assert 'vastflow_flows_ended_total{name="qu\\"ick\\\\",outcome="success"} 1' in lines
    assert 'vastflow_facts_total{kind="ended"} 1' in lines
    told = re.compile(r'# (HELP|TYPE) \w+ .+|\w+(\{\w+="([^"\\\n]|\\.)*"(,\w+="([^"\\\n]|\\.)*")*\})? \d+')
    assert [line for line in lines if not told.fullmatch(line)] == []


def test_whoever_stands_by_says_so(crew: Crew) -> None:
    first, second = crew.engine(), crew.engine()

    assert first.metrics().serves
    assert not second.metrics().serves
    assert second.metrics().started == {}
