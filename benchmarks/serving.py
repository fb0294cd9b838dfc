"""A Streamlit app served for a benchmark, as a process of its own."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

PROJECT = Path(__file__).parent.parent
LIMIT_SECONDS = 60


@contextlib.contextmanager
def serving(script, **variables):
    """Starts a Streamlit app, with these environment variables besides; yields its process and address at once, before
    it answers.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}", "--server.headless=true"]
    process = subprocess.Popen(
        command, cwd=PROJECT, env=os.environ | variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def wait_until_up(address):
    """Returns when the server answers. Raises TimeoutError after a minute."""
    end = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
            return
        time.sleep(0.02)
    raise TimeoutError(f"{address} does not answer")
