"""The way into a classroom that docs/classroom.md shows: nginx with a certificate and a password, a read-only lab."""

import getpass
import re
import shutil
import socket
import subprocess
import time
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OTHER_NAME as NAME
from tests.e2e.conftest import PROJECT, served
from tests.every_page import DRAWN
from tests.folders import finished_run
from tests.penmanship import teach
from tests.picture_files import PAPER, saved

GUIDE = (PROJECT / "docs" / "classroom.md").read_text("utf-8")
(SITE,) = re.findall(r"^```nginx\n(.*?)^```$", GUIDE, re.M | re.S)
(OPTIONS,) = re.findall(r"^LAB_READ_ONLY=1 streamlit run app\.py (.+)$", GUIDE, re.M)


@pytest.fixture
def classroom(artifacts, tmp_path, monkeypatch):
    """The port at which nginx serves the lab, as the guide says."""
    if not (shutil.which("nginx") and shutil.which("openssl")):
        pytest.skip("nginx or openssl is not installed (on Debian: apt-get install nginx-light openssl)")
    monkeypatch.setenv("LAB_READ_ONLY", "1")
    certificate = ["-keyout", "lab.key", "-out", "lab.crt", "-subj", f"/CN={NAME}", "-days", "1"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *certificate],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    password = subprocess.check_output(["openssl", "passwd", "-apr1", "seven"], text=True)
    (tmp_path / "lab.passwords").write_text(f"class:{password}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with served(tmp_path / "streamlit.log", *OPTIONS.split()) as address:
        site = SITE.replace("listen 443", f"listen 127.0.0.1:{port}").replace(":8501", f":{urlsplit(address).port}")
        site = re.sub(r"/etc/(ssl|nginx)/", f"{tmp_path}/", site)
        paths = "".join(
            f"{kind}_temp_path {tmp_path};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        main = f"daemon off; user {getpass.getuser()}; pid {tmp_path}/nginx.pid; events {{}}"
        (tmp_path / "nginx.conf").write_text(f"{main} http {{ access_log off; {paths} {site} }}")
        nginx = subprocess.Popen(["nginx", "-p", str(tmp_path), "-c", "nginx.conf", "-e", "stderr"])
        try:
            wait_for(port, nginx)
            yield port
        finally:
            nginx.terminate()
            nginx.wait(30)


def wait_for(port, process):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail("nginx did not start")


@pytest.fixture
def visitor(browser):
    """A blank page of somebody who knows the password."""
    context = browser.new_context(ignore_https_errors=True, http_credentials={"username": "class", "password": "seven"})
    yield context.new_page()
    context.close()


def test_pages_work_behind_the_guides_proxy_and_nobody_comes_in_without_the_password(classroom, visitor, browser):
    run = teach(finished_run())
    streams = []
    visitor.on("websocket", lambda stream: streams.append(stream.url))
    visitor.goto(f"https://{NAME}:{classroom}/train?run={run.id}")
    expect(visitor.get_by_text("This lab is read-only: watch, compare, browse and draw.")).to_be_visible()
    visitor.locator(DRAWN["train"][1]).first.wait_for()
    # Those with components, pictures, tables and charts, and a place for a file; the rest are made of the same.
    for name in ("compare", "gallery", "draw"):
        visitor.get_by_test_id("stTopNavLink").filter(has_text=name.capitalize()).click()
        title, last = DRAWN[name]
        expect(visitor.get_by_role("heading", name=title, exact=True)).to_be_visible()
        visitor.locator(last).first.wait_for()
    assert set(streams) == {f"wss://{NAME}:{classroom}/_stcore/stream"}
    visitor.get_by_test_id("stFileUploader").locator("input").set_input_files(
        {"name": "seven.png", "mimeType": "image/png", "buffer": saved(PAPER)}
    )
    expect(visitor.get_by_text("AlexNet reads a 7.")).to_be_visible()

    stranger = browser.new_context(ignore_https_errors=True)
    for path in ("", "draw", "_stcore/stream", "_stcore/health"):
        assert stranger.request.get(f"https://127.0.0.1:{classroom}/{path}").status == 401
    stranger.close()
