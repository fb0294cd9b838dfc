"""Ten networks, as many as others will add: every page opens."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.every_page import PAGES

PROJECT = Path(__file__).parents[2]
# In a process of its own, since networks are registered when the program is imported.
PROGRAM = """
import json
import sys
from core.networks import alexnet
from core.networks.catalogue import NETWORKS

for number in range(7):
    NETWORKS[f"copied_{number}"] = NETWORKS["alexnet"] | {"label": f"Copy {number}"}
    alexnet.ARCHITECTURES[f"copied_{number}"] = alexnet.ARCHITECTURES["alexnet"]

from streamlit.testing.v1 import AppTest
from tests.folders import finished_run, started_run
from tests.penmanship import teach

runs = [teach(finished_run("copied_5")), started_run("copied_6")]
for name in sys.argv[1:]:
    page = AppTest.from_file("app.py", default_timeout=60)
    page.switch_page(f"pages/{name}.py")
    page.query_params["run"] = [run.id for run in runs]
    page.run()
    cells = sum("class='score'" in element.proto.body for element in page.get("html"))
    words = " ".join(element.value for element in page.markdown)
    print(json.dumps([name, [error.proto.type for error in page.exception], len(page.main.children), cells, words]))
"""


def test_every_page_opens_with_ten_networks_and_the_overview_keeps_to_the_reports(artifacts):
    command = [sys.executable, "-c", PROGRAM, *PAGES]
    done = subprocess.run(command, cwd=PROJECT, env=os.environ, capture_output=True, text=True)
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert [(name, errors) for name, errors, *_ in said] == [(name, []) for name in PAGES], done.stderr
    assert all(elements > 1 for _, _, elements, *_ in said)
    # The overview stays with the pairs that the report has figures for.
    *_, cells, words = said[0]
    assert cells == 9
    assert "None of the 9 pairs is trained yet" in words
