"""From every test image in the lab a link leads to what happens inside a network that sees it."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.every_page import PAGES, opened
from tests.folders import finished_run, mapped, record_epochs, started_run
from tests.pages.test_round import play, press
from tests.penmanship import address_of, strokes, teach


def bodies(page):
    return " ".join(element.proto.body for element in page.get("html"))


def shown(page):
    """The numbers of the test images that a page shows."""
    return {int(number) for number in re.findall(r"""(?:Test image|No\.|id='no-) ?(\d+)""", bodies(page))}


def inside(page):
    """Where the links lead that a page has to what is inside: the number of a test image -> (runs, name)."""
    found = {}
    for tag, address, text in re.findall(r"""(<a [^>]*href=["'](inside\?[^"']*)["'][^>]*>)(.*?)</a>""", bodies(page)):
        query = parse_qs(urlsplit(unescape(address)).query)
        name = re.findall(r"""aria-label=["']([^"']*)""", tag) or [re.sub("<.*?>", "", text)]
        assert "inner" in tag
        assert query["image"][0] in name[0]
        found[int(query["image"][0])] = query["run"], name[0]
    return found


# Where a page shows test images: its address.
SHOWN = {
    "overview": {},
    "compare": {"look": "images"},
    "gallery": {},
    "draw": {"map": "true", "drawing": address_of(strokes(7))},
}


@pytest.fixture
def lab(artifacts):
    return [teach(mapped(finished_run("alexnet", wrong=0.3))), finished_run("vgg16", wrong=0.2)]


@pytest.mark.parametrize("name", PAGES)
def test_each_test_image_on_a_page_has_a_link_inside(lab, name):
    query = SHOWN.get(name, {})
    page = opened(name, **({"run": [run.id for run in lab]} if name == "compare" else {}) | query)
    images, links = shown(page), inside(page)
    assert bool(images) == (name in SHOWN)
    assert images == set(links)
    ids = {run.id for run in lab}
    assert all(set(runs) <= ids for runs, _ in links.values())


def test_compare_leads_to_one_that_is_wrong_beside_one_that_is_right(lab):
    # What VGG-16 gets wrong here AlexNet gets wrong too.
    page = opened("compare", run=[run.id for run in reversed(lab)], look="images", who="2")
    links = inside(page)
    assert links
    assert all(runs == [lab[0].id, lab[1].id] for runs, _ in links.values())


def test_an_image_of_a_round_leads_inside_once_all_have_named_it(lab):
    page = press(opened("round"), "go on")
    assert inside(page) == {}
    press(page, "class 3")
    assert set(inside(page)) == shown(page) != set()
    play(page, "012345678")
    press(page, "go on")
    assert len(shown(page)) == 10
    assert set(inside(page)) == shown(page)


@pytest.mark.parametrize("hidden", ["true", "false"])
def test_an_image_of_a_run_that_trains_leads_to_a_network_that_is_there(artifacts, hidden):
    training = record_epochs(started_run("vgg16"))
    page = opened("gallery", run=training.id, hidden=hidden, show="all")
    assert inside(page) == {}
    assert "when its training is over" in bodies(page)
    # One without its network is no help.
    finished_run("vgg16")
    assert inside(opened("gallery", run=training.id, hidden=hidden, show="all")) == {}
    other = teach(finished_run("alexnet"))
    page = opened("gallery", run=training.id, hidden=hidden, show="all")
    links = inside(page)
    assert set(links) == shown(page)
    assert all(runs == [other.id] for runs, _ in links.values())
    assert links[0][1] == "Look inside AlexNet at test image 0"
