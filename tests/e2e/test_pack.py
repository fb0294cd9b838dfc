"""The journey of somebody who hands in what the lab found: a button, a file, and a report that needs nobody else."""

import re
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from core.pack import NAME
from tests.e2e.conftest import context_in, page_in, served
from tests.e2e.test_closed import ask
from tests.folders import finished_run

# What is wider than the sheet that it is printed on, and what of a table's rows or pictures two sheets share.
CUT = """() => {
  const sheet = document.documentElement.clientWidth + 0.5;
  const wide = [...document.querySelectorAll("table, svg, .cases, code, p, h1, h2, h3")].filter((each) =>
    each.getBoundingClientRect().right > sheet || (each.clientWidth && each.scrollWidth > each.clientWidth + 1));
  const apart = [...document.querySelectorAll("tr, svg, .cases, .run")].filter((each) =>
    getComputedStyle(each).breakInside !== "avoid" || each.getBoundingClientRect().height > innerHeight);
  return [...wide, ...apart].map((each) => each.outerHTML.slice(0, 120));
}"""
# A4 without the margins that the style sheet names, in CSS pixels.
SHEET = {"width": round((210 - 2 * 14) / 25.4 * 96), "height": round((297 - 16 - 18) / 25.4 * 96)}


@pytest.mark.timeout(300)
def test_the_ticked_runs_are_packed_beside_the_server_and_the_report_opens_offline_and_prints(
    artifacts, tmp_path, monkeypatch, page, browser
):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    run, other = finished_run("alexnet", "cifar10"), finished_run("lenet5", "fashion_mnist")
    with served(tmp_path / "streamlit.log") as app_url:
        page.goto(f"{app_url}/compare?run={run.id}&run={other.id}")
        page.get_by_role("button", name="Pack to hand in").click()
        expect(page.get_by_test_id("stProgress")).to_be_visible()
        made = page.get_by_role("link", name=f"Download {NAME}")
        expect(made).to_be_visible(timeout=120_000)
        with page.expect_download() as download:
            made.click()
        assert download.value.suggested_filename == NAME
        download.value.save_as(tmp_path / NAME)
        status, _, body = ask(app_url, f"/pack/0123456789abcdef/{NAME}")
        assert (status, body.decode()) == (404, "There is no such pack; ask for it on the Compare page.")
        status, _, _ = ask(app_url, "/" + made.get_attribute("href"), Host="lab.example")
        assert status == 403
        port = urlsplit(app_url).port
        (server,) = {c.pid for c in psutil.net_connections("tcp") if c.laddr.port == port and c.status == "LISTEN"}
        loaded = {Path(each.path).parts for each in psutil.Process(server).memory_maps()}
        assert not any("matplotlib" in parts for parts in loaded)
        assert list((tmp_path / "temporary").rglob(NAME))
    assert not list((tmp_path / "temporary").rglob("deeper-networks-*"))
    with zipfile.ZipFile(tmp_path / NAME) as archive:
        archive.extractall(tmp_path / "pack")
    looks_at_the_report(browser, (tmp_path / "pack/report.html").as_uri())


def looks_at_the_report(browser, address):
    with context_in(browser) as context, page_in(context) as page:
        context.set_offline(True)
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Deeper Networks"))
        assert [url for url in asked if not url.startswith("data:")] == [address]
        for width, scheme in ((1440, "light"), (390, "dark")):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page).response["violations"]
            assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == []
            # Nothing but its tables is moved sideways.
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("img:not([alt]), svg:not([aria-label])").count() == 0
        assert page.get_by_role("img", name="Accuracy of AlexNet on CIFAR-10").count() == 1

        page.set_viewport_size(SHEET)
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate(CUT) == []
        # Which a table that is cut would not pass.
        page.add_style_tag(content=".figures { font-size: 16pt !important; } tr { break-inside: auto !important; }")
        assert any(cut.startswith("<table") for cut in page.evaluate(CUT))
        page.reload()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        printed = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= 6
