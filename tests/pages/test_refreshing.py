"""Parts of a page that draw themselves again: how often, for one viewer and for many."""

import itertools
import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts import refreshing
from pages.parts.refreshing import SHARE, Turns
from tests.folders import finished_run, started_run

APP = str(Path(__file__).parents[2] / "app.py")
COST = 0.005


def draw(turns, viewers, until, seconds=2, cost=COST):
    """The times at which each viewer draws from 0 on, one list a viewer."""
    times = [[0.0] for _ in range(viewers)]
    due = [turns.wait(seconds, cost, 0.0) for _ in range(viewers)]
    while min(due) < until:
        viewer = due.index(min(due))
        now = due[viewer]
        times[viewer].append(now)
        due[viewer] = now + turns.wait(seconds, cost, now)
    return times


@pytest.mark.parametrize("cost", [0, COST, 60])
def test_a_single_viewer_gets_what_it_asks_for_whatever_it_costs(cost):
    (times,) = draw(Turns(SHARE), 1, until=20, cost=cost)
    assert times == pytest.approx(range(0, 20, 2))


@pytest.mark.parametrize("viewers", [30, 300])
def test_many_viewers_together_take_their_share_and_no_more(viewers):
    times = draw(Turns(SHARE), viewers, until=1000)
    drawings = len([time for time in itertools.chain(*times) if time >= 500])
    assert drawings * COST / 500 == pytest.approx(SHARE, rel=0.02)


def test_the_more_watch_the_longer_each_waits_and_all_wait_alike():
    waits = []
    for viewers in (1, 10, 30, 100):
        counts = [len([time for time in times if time >= 500]) for times in draw(Turns(SHARE), viewers, until=1000)]
        assert max(counts) - min(counts) <= 0.1 * max(counts) + 1
        waits.append(500 / max(counts))
    assert waits == sorted(waits)
    assert waits[0] == pytest.approx(2, rel=0.01)
    assert waits[-1] > 5 * waits[0]


def test_those_who_come_at_once_do_not_stay_together():
    times = sorted(itertools.chain(*draw(Turns(SHARE), 30, until=1000)))
    later = [time for time in times if time >= 500]
    assert max(sum(start <= time < start + 1 for time in later) for start in range(500, 999)) <= 1.5 * SHARE / COST


def test_when_the_others_have_gone_one_is_served_as_before():
    turns = Turns(SHARE)
    draw(turns, 100, until=100)
    assert turns.wait(2, COST, now=200) == 2


def test_who_asks_seldom_does_not_hold_up_who_asks_often():
    turns = Turns(SHARE)
    assert turns.wait(4, COST, now=0) == 4
    assert turns.wait(2, COST, now=0) == 2


def clock(page):
    """What the browser is told of the time to draw again, one a page; None where it is told nothing."""
    found = [element.proto for element in page.get("bidi_component") if element.proto.component_name == "refreshing"]
    assert len(found) <= 1
    return json.loads(found[0].json) if found else None


@pytest.mark.parametrize(("page_name", "seconds"), [("overview", 4), ("train", 2), ("draw", 2)])
@pytest.mark.parametrize("make", [started_run, finished_run])
def test_a_page_draws_again_while_something_runs_and_not_after(artifacts, monkeypatch, page_name, seconds, make):
    # Of the tests before this one, nobody waits any more.
    monkeypatch.setattr(refreshing, "_turns", Turns(SHARE))
    run = make()
    page = AppTest.from_file(APP, default_timeout=60)
    page.query_params["run"] = run.id
    page = page.switch_page(f"pages/{page_name}.py").run()
    assert not page.exception
    told = clock(page)
    if make is finished_run:
        assert told is None
    else:
        assert told["seconds"] == seconds
        again = clock(page.run())
        assert again["asked"] > told["asked"]
