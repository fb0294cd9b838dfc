"""The journey of somebody who leaves a page open: fresh while looked at, at rest while not, and then caught up."""

import re
import threading

import pytest

from tests.e2e.conftest import look_away
from tests.folders import started_run


@pytest.fixture
def steps(artifacts):
    """A run in training whose step grows by one a second; its id, and a function that says its step."""
    run = started_run(epochs=50)
    run.write_status(step=1, steps=100_000)
    done = threading.Event()

    def train():
        while not done.wait(1):
            run.write_status(step=run.read_status()["step"] + 1)

    trainer = threading.Thread(target=train)
    trainer.start()
    yield run.id, lambda: run.read_status()["step"]
    done.set()
    trainer.join()


def shown(page):
    """The step that the run's card shows."""
    return int(page.get_by_text(re.compile(r"^Step \d+ of")).first.inner_text().split()[1])


def wait_for_step(page, least, timeout):
    step = "+document.body.innerText.match(/Step (\\d+) of/)?.[1]"
    page.wait_for_function(f"least => {step} >= least", arg=least, timeout=timeout)


@pytest.mark.timeout(300)
def test_a_fresh_servers_page_shows_no_file_names_is_fresh_while_looked_at_rests_while_not_and_catches_up(
    app_url, page, steps
):
    # What an open tab gets too when the server was started anew: a sidebar that Streamlit makes of the folder `pages`.
    page.add_init_script(
        "new MutationObserver(() => { if (document.querySelector('[data-testid=stSidebarNav]')) window.seen = true; })"
        ".observe(document, { childList: true, subtree: true });"
    )
    run, step = steps
    page.goto(f"{app_url}/train?run={run}")
    wait_for_step(page, shown(page) + 5, timeout=30_000)
    assert not page.evaluate("window.seen")
    assert step() - shown(page) <= 6

    look_away(page)
    # What was under way when they looked away still comes.
    page.wait_for_timeout(3000)
    left = shown(page)
    page.wait_for_timeout(8000)
    assert shown(page) == left
    assert step() >= left + 5

    look_away(page, away=False)
    wait_for_step(page, left + 5, timeout=10_000)
    assert step() - shown(page) <= 6
