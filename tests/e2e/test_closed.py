"""Closed by default: the app talks to this machine alone, to its own pages alone, and shows no file but its own.

That no page asks anybody else is in test_every_page.py.
"""

import contextlib
import http.client
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from websockets.exceptions import InvalidStatus

from tests.e2e.conftest import PROJECT, served
from tests.every_page import PAGES
from tests.folders import finished_run
from tests.hand_made import hand_made_tab
from tests.penmanship import teach


@pytest.fixture
def app_url(lab):
    return lab[1]


def ask(address, path, method="GET", body=None, **headers):
    """(status, headers, body) of one request, its path as it is written here."""
    with contextlib.closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def refused(address, **request):
    with pytest.raises(InvalidStatus) as refusal, hand_made_tab(address, **request):
        pass
    assert refusal.value.response.status_code == 403


def test_it_listens_on_this_machine_only(app_url):
    port = urlsplit(app_url).port
    listening = [c.laddr for c in psutil.net_connections("inet") if c.status == "LISTEN" and c.laddr.port == port]
    assert [laddr.ip for laddr in listening] == ["127.0.0.1"]


def test_it_answers_to_its_own_names_and_pages_only(app_url):
    port = urlsplit(app_url).port
    for request in ({}, {"Origin": app_url}, {"host": f"localhost:{port}", "Origin": f"http://localhost:{port}"}):
        with hand_made_tab(app_url, **request) as tab:
            assert tab.elements
    for host in ("lab.example", f"lab.example:{port}", f"127.0.0.1.lab.example:{port}", "[::1]"):
        refused(app_url, host=host)
        refused(app_url, host=host, Origin=f"http://{host}")
    for origin in (
        "http://lab.example",
        "https://127.0.0.1.lab.example",
        "http://localhost@lab.example",
        "null",
        "file://",
    ):
        refused(app_url, Origin=origin)


def test_no_other_page_may_read_its_answers_or_upload_files(app_url):
    for path in ("/", "/_stcore/health", "/_stcore/host-config", "/_stcore/metrics"):
        _, headers, _ = ask(app_url, path, Origin="http://lab.example")
        assert headers["Access-Control-Allow-Origin"] is None
    status, _, body = ask(app_url, "/_stcore/upload_file/session/file", "PUT", b"x", Origin="http://lab.example")
    assert (status, b"XSRF" in body) == (403, True)
    status, _, body = ask(app_url, "/_stcore/agent/interact", "POST", b"{}")
    assert status >= 400
    assert b"does not serve" in body


TARGETS = ("app.py", ".streamlit/config.toml", ".git/config", "etc/passwd")
ROOTS = ("/", "/app/static/", "/static/", "/media/", "/component/live_chart/", "/_stcore/bidi-components/drawing_pad/")
# Up to the project and to the root: plainly, encoded once and twice, for Windows, and past filters that cut out "../".
WAYS = ("", "../", "../" * 12, "/", "//", "%2e%2e/", "%2e%2e%2f" * 12, "%252e%252e%252f", "..%5c", "....//", "..;/")


def test_no_file_of_the_project_or_the_machine_is_served(app_url):
    files = [path for path in (*(PROJECT / name for name in TARGETS), Path("/etc/passwd")) if path.exists()]
    secrets = [next(line for line in path.read_bytes().splitlines() if len(line) > 12) for path in files]
    assert len(secrets) >= 3
    for path in (root + way + target for root in ROOTS for way in WAYS for target in TARGETS):
        _, _, body = ask(app_url, path)
        assert not [secret for secret in secrets if secret in body], path


@pytest.fixture
def outside(monkeypatch):
    """What a proxy, which the environment names for every request to the outside, was asked for."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def listen():
            while True:
                try:
                    caller, _ = proxy.accept()
                except OSError:
                    return
                with caller:
                    caller.settimeout(5)
                    asked.append(caller.recv(1000).split(b"\r\n")[0].decode())

        threading.Thread(target=listen, daemon=True).start()
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield asked
        proxy.shutdown(socket.SHUT_RDWR)


def test_the_server_asks_nobody_anything(artifacts, tmp_path, outside):
    run = teach(finished_run())
    with served(tmp_path / "streamlit.log") as address:
        port = urlsplit(address).port
        for page in ("", *PAGES[1:]):
            with hand_made_tab(address, page, f"run={run.id}"):
                (server,) = {
                    c.pid for c in psutil.net_connections("tcp") if c.laddr.port == port and c.status == "LISTEN"
                }
                connected = [c.raddr for c in psutil.Process(server).net_connections("inet") if c.raddr]
                assert {raddr.ip for raddr in connected} <= {"127.0.0.1"}
        refused(address, Origin="http://lab.example")
    assert outside == []
