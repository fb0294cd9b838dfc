"""Many networks: every page opens with seven more than the catalogue has, and where fourteen are trained, none is
missing and no two look alike.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.networks.catalogue import NETWORKS
from core.palette import NETWORK_COLOURS
from pages.parts.draw.predictions import MOST_AT_ONCE
from tests.every_page import PAGES, opened
from tests.folders import finished_run
from tests.pages.test_gallery import followed
from tests.penmanship import address_of, strokes, teach

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


MANY = list(NETWORKS)[:14]
LABELS = {network: NETWORKS[network]["label"] for network in MANY}


@pytest.fixture
def trained(artifacts):
    """A run of each of the many, network -> Run."""
    return {network: finished_run(network) for network in MANY}


def texts(page, about):
    """Our own HTML in which `about` stands."""
    return [element.proto.body for element in page.get("html") if about in element.proto.body]


def test_every_page_opens_with_seven_more_networks_and_the_overview_keeps_to_the_reports(artifacts):
    command = [sys.executable, "-c", PROGRAM, *PAGES]
    done = subprocess.run(command, cwd=PROJECT, env=os.environ, capture_output=True, text=True)
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    assert [(name, errors) for name, errors, *_ in said] == [(name, []) for name in PAGES], done.stderr
    assert all(elements > 1 for _, _, elements, *_ in said)
    # The overview stays with the pairs that the report has figures for.
    *_, cells, words = said[0]
    assert cells == 9
    assert "None of the 9 pairs is trained yet" in words


def test_compare_has_a_row_and_a_line_of_its_own_for_each_and_shows_those_chosen(trained):
    page = opened("compare", run=[run.id for run in trained.values()])
    assert set(page.dataframe[0].value["", "Network"]) == set(LABELS.values())
    legend = re.findall(r"<span class='curve'>.+?</span>", "".join(texts(page, "class='curve'")))
    assert [re.search(r">([^<>]+) on MNIST, Quick<", text)[1] for text in legend] == list(LABELS.values())
    # The sample of each line is a picture that is made of its colour alone.
    assert len({re.search(r'src="([^"]+)"', text)[1] for text in legend}) == len(MANY)
    choice = page.multiselect(key="url network")
    assert set(choice.options) == set(LABELS.values())
    choice.set_value(["googlenet", "resnet20"]).run()
    assert set(page.dataframe[0].value["", "Network"]) == {"GoogLeNet", "ResNet-20"}


def test_the_gallery_offers_each_and_an_open_image_shows_what_each_makes_of_it(trained):
    page = opened("gallery", image="0")
    assert set(page.multiselect(key="url network").options) == set(LABELS.values())
    assert len(page.selectbox(key="gallery run").options) == len(MANY)
    others = followed(page)["others"]
    assert set(re.findall(r"<b>([^<]+), Quick</b>", others)) == set(LABELS.values())
    page.multiselect(key="url network").set_value(["googlenet", "resnet20"]).run()
    others = followed(page)["others"]
    assert set(re.findall(r"<b>([^<]+), Quick</b>", others)) == {"GoogLeNet", "ResNet-20"}
    assert len(page.selectbox(key="gallery run").options) == 2


@pytest.mark.parametrize("network", MANY[::5])
def test_the_gallery_has_the_colour_of_the_network_chosen(trained, network):
    page = opened("gallery", network=[network])
    (grid,) = texts(page, 'class="cases"')
    assert f"--bar: {NETWORK_COLOURS[network]}" in grid


def test_draw_asks_a_few_says_how_many_others_there_are_and_asks_all_that_are_chosen(trained):
    for run in trained.values():
        teach(run)

    def cards(**query):
        page = opened("draw", drawing=address_of(strokes(7)), **query)
        (component,) = [e.proto for e in page.get("bidi_component") if e.proto.component_name == "predictions"]
        return page, json.loads(component.json)["networks"]

    page, newest = cards()
    assert len(newest) == MOST_AT_ONCE
    said = f"{len(MANY) - MOST_AT_ONCE} other networks have learned digits too."
    assert any(caption.value.startswith(said) for caption in page.caption)
    page, chosen = cards(answer="any", run=[run.id for run in trained.values()])
    assert {card["label"] for card in chosen} == set(LABELS.values())
    assert {card["reading"] for card in chosen} == {7}
    assert len({card["colour"] for card in chosen}) == len(MANY)
    assert not any("learned digits too" in caption.value for caption in page.caption)
