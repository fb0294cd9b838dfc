"""The journey of somebody who compares runs: from the scorecard to a table, its curves, a file and a link."""

import re
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from playwright.sync_api import expect

from core.results import table as results
from core.runs.run import list_runs
from tests.folders import finished_run

# st.dataframe draws on a canvas: the boxes to tick are found by their place.
HEADER, ROW, TICK = 70, 35, 16


def tick(page, row):
    # While a page is drawn anew, the table that was there before is still there.
    expect(page.get_by_test_id("stDataFrame")).to_have_count(1)
    box = page.get_by_test_id("stDataFrame").bounding_box()
    page.mouse.click(box["x"] + TICK, box["y"] + HEADER + ROW * (row + 0.5))


def runs_in(url):
    return parse_qs(urlsplit(url).query).get("run", [])


@pytest.fixture
def runs(artifacts):
    """A run of each network on CIFAR-10, in the order of the table."""
    return [finished_run(network, "cifar10") for network in ("alexnet", "vgg16", "resnet34")]


def legend(page):
    return page.locator(".curve")


def test_a_link_opens_on_a_fresh_server_and_runs_are_compared_downloaded_and_shared(app_url, page, runs):
    page.goto(f"{app_url}/compare?run={runs[1].id}")
    expect(legend(page).first).to_have_text("VGG-16 on CIFAR-10, Quick")
    expect(page).to_have_title(re.compile("Compare"))
    expect(page.get_by_test_id("stSidebar")).to_have_count(0)
    page.get_by_role("link", name="Overview").click()

    curves = page.get_by_test_id("stMain").get_by_role("link", name="Curves")
    expect(curves).to_have_count(len(runs))
    curves.first.click()
    expect(page.get_by_role("heading", name="Compare")).to_be_visible()
    expect(legend(page).first).to_have_text("AlexNet on CIFAR-10, Quick")
    assert runs_in(page.url) == [runs[0].id]

    tick(page, 2)
    expect(legend(page).nth(1)).to_have_text("ResNet-34 on CIFAR-10, Quick")
    assert runs_in(page.url) == [runs[0].id, runs[2].id]

    page.get_by_role("radio", name="Last epoch").click()
    page.get_by_text("Report's figures and differences").click()
    expect(page.locator(".meanings span").last).to_have_text("report's last validation")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    shown = pd.read_csv(StringIO(download.value.path().read_text("utf-8")))
    expected = results.table(list_runs(), "last")[0]
    assert shown["run"].tolist() == [run.id for run in runs]
    shares = {"test_accuracy": "percent", "report_test_accuracy": "percent"}
    shares |= {f"test_accuracy_difference{end}": "points" for end in ("", "_low", "_high")}
    for column, unit in shares.items():
        assert shown[f"{column}_{unit}"].tolist() == pytest.approx((100 * expected[column]).tolist())
    assert shown["test_loss_nats"].tolist() == expected["test_loss"].tolist()
    for column in ("verdict", "seconds"):
        assert shown[column].tolist() == expected[column].tolist()

    page.get_by_role("button", name="VGG-16", exact=True).click()
    expect(page.get_by_text("although no row above is of them alone")).to_be_visible()
    tick(page, 0)
    expect(legend(page).nth(2)).to_have_text("VGG-16 on CIFAR-10, Quick")
    assert runs_in(page.url) == [runs[0].id, runs[2].id, runs[1].id]
