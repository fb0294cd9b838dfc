"""The journey of somebody who relies on it: servers end, runs wait; none is lost or lied about."""

import os
import signal
from urllib.parse import urlencode

import psutil
import pytest
from playwright.sync_api import expect

from core.jobs import liveness
from core.runs.run import list_runs
from tests.e2e.conftest import served
from tests.workers import QUICKLY, wait_for

TINY = urlencode(QUICKLY)


def opened(page, address, settings):
    page.goto(f"{address}/train?{TINY}&{settings}")
    # The network of the report's that starts fastest writes 300 MB a checkpoint.
    page.get_by_test_id("stButtonGroup").get_by_text("LeNet-5", exact=True).click()
    expect(page.get_by_role("button", name="LeNet-5 on MNIST")).to_be_enabled()


def started(page, pair):
    """The run that a click on the pair starts, and its card."""
    before = set(list_runs())
    page.get_by_role("button", name=pair).click()
    expect(page.locator("[class*='st-key-run-']")).to_have_count(len(before) + 1)
    (run,) = set(list_runs()) - before
    return run, card_of(page, run)


def card_of(page, run):
    return page.locator(f".st-key-run-{run.id}")


def own_servers():
    """The servers that this process started; a zombie beside them has no command line any more."""
    found = psutil.process_iter(["cmdline", "ppid"])
    return {one for one in found if one.info["ppid"] == os.getpid() and "streamlit" in (one.info["cmdline"] or ())}


def in_epoch(number):
    return lambda status: status.get("epoch", 0) >= number and status["phase"] == "training"


@pytest.mark.timeout(900)
def test_runs_say_their_positions_in_line_change_them_and_go_on_when_the_server_ends_and_the_next_one_shows_them(
    artifacts, page, tmp_path
):
    # Of the tests that share one.
    others = own_servers()
    with served(tmp_path / "first.log") as address:
        opened(page, address, "epochs=200")
        first, first_card = started(page, "LeNet-5 on MNIST")
        expect(first_card.get_by_role("button", name="Stop")).to_be_visible()
        wait_for(first, lambda status: status["state"] == "running")
        liveness.worker(first).suspend()
        second, second_card = started(page, "ResNet-34 on MNIST")
        third, third_card = started(page, "VGG-16 on CIFAR-10")
        expect(second_card.get_by_text("queued, first in line")).to_be_visible()
        expect(third_card.get_by_text("queued, second in line")).to_be_visible()
        third_card.get_by_role("button", name="Move up").click()
        expect(third_card.get_by_text("queued, first in line")).to_be_visible()
        expect(second_card.get_by_text("queued, second in line")).to_be_visible()
        third_card.get_by_role("button", name="Cancel").click()
        expect(third_card.get_by_text("stopped")).to_be_visible()
        expect(second_card.get_by_text("queued, first in line")).to_be_visible()
        assert [liveness.state(run)["state"] for run in (first, second, third)] == ["running", "queued", "stopped"]
        # To draw its curves takes longer than to train it.
        page.goto("about:blank")
        liveness.worker(first).resume()
        wait_for(first, in_epoch(1))
        (server,) = own_servers() - others
        server.send_signal(signal.SIGINT)
        psutil.wait_procs([server], timeout=30)
        assert not server.is_running()
    epoch = liveness.state(first)["epoch"]
    wait_for(first, in_epoch(epoch + 2))
    # To train on costs as much as a server's start, and shows no more.
    worker = liveness.worker(first)
    worker.suspend()
    with served(tmp_path / "second.log") as address:
        page.goto(f"{address}/train")
        expect(first_card.get_by_text("training", exact=True).first).to_be_visible()
        expect(second_card.get_by_text("queued, first in line")).to_be_visible()
        first_card.get_by_role("button", name="Stop").click()
        expect(first_card.get_by_text("stopping after this step…", exact=True).first).to_be_visible()
        worker.resume()
        expect(first_card.get_by_role("button", name="Resume")).to_be_visible()
        # The place of one that is gone is the next one's, without anybody's doing.
        expect(second_card.get_by_role("button", name="Stop")).to_be_visible()
    assert liveness.state(first)["state"] == "stopped"
