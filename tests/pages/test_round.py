"""The Round page as its script runs: a whole game, its address, and what it does where nobody can play."""

import re
import time

import pytest

from core.results import rounds
from pages.parts import data
from tests.every_page import opened
from tests.folders import finished_run, started_run


@pytest.fixture
def runs(artifacts):
    """Two networks that are wrong about every second image and about none; a run on other images; one at work."""
    found = [finished_run("alexnet", wrong=0.5), finished_run("vgg16", wrong=0)]
    finished_run("vgg16", "cifar10")
    started_run("resnet34")
    return found


def ran(page):
    page.run()
    assert not page.exception
    return page


def press(page, key):
    page.button(key=key).click()
    return ran(page)


def play(page, choices):
    """Starts a round where none has begun, and names so many images."""
    for label in choices:
        if not page.button(key="go on").disabled:
            press(page, "go on")
        press(page, f"class {label}")
    return page


def htmls(page, kind):
    bodies = [element.proto.body for element in page.get("html")]
    return [body for body in bodies if kind in body and "<style>" not in body]


def verdict(page):
    (body,) = htmls(page, "round-verdict")
    return re.sub("<.*?>", "", body)


def pictures(page):
    (body,) = htmls(page, "round-picture")
    return re.findall("src='([^']+)'", body)


def truths(runs, **how):
    """The true classes of the round's images: on MNIST of `finished_run` an image's last digit is its class."""
    players = [rounds.Player(data.verdicts(run).classes, data.verdicts(run).confidences) for run in runs]
    labels = data.verdicts(runs[0]).labels
    pool = rounds.hard_images(players, labels) if how.get("images") != "all" else range(len(labels))
    return [int(labels[image]) for image in rounds.drawn(pool, int(how.get("round", 1)))]


def test_where_nobody_can_play_it_leads_to_training(artifacts):
    page = opened("round")
    assert "nobody plays against you" in page.info[0].value
    assert [link.proto.page for link in page.get("page_link")] == ["train"]
    assert not page.button


def test_before_the_start_neither_images_nor_predictions_are_in_the_page(runs):
    page = opened("round")
    assert pictures(page) == []
    (board,) = htmls(page, "round-board")
    assert [name for name in ("AlexNet", "VGG-16") if name in board] == ["AlexNet", "VGG-16"]
    assert "ResNet-34" not in board
    assert "✓" not in board
    assert "×" not in board


def test_one_click_reveals_what_everybody_said_and_the_next_hides_it_again(runs):
    truth = truths(runs)
    page = press(opened("round"), "go on")
    assert verdict(page) == "Image 1 of 10: what is it?"
    first = pictures(page)
    (board,) = htmls(page, "round-board")
    assert "%</small>" not in board
    assert "Test image" not in htmls(page, "round-picture")[0]
    play(page, [truth[0]])
    assert verdict(page).startswith(f"Right, {truth[0]}: ")
    assert pictures(page) == first
    (board,) = htmls(page, "round-board")
    assert board.count("82 %</small>") == len(runs)
    assert page.button(key=f"class {truth[0]}").disabled
    press(page, "go on")
    assert pictures(page) != first
    assert "%</small>" not in htmls(page, "round-board")[0]


def test_a_whole_round_ends_with_everybody_image_by_image(runs):
    truth = truths(runs)
    mine = [*truth[:8], (truth[8] + 5) % 10, (truth[9] + 5) % 10]
    page = play(opened("round"), mine)
    assert page.button(key="go on").label == "See the result"
    press(page, "go on")
    assert "<b>8</b>" in htmls(page, "round-score")[0]
    (table,) = htmls(page, "round-table")
    assert table.count("<tr id='no-") == rounds.IMAGES
    assert table.count("href='gallery?run=") == table.count('href="inside?run=') == rounds.IMAGES
    # You, AlexNet and VGG-16, which recognises all.
    *_, you, alexnet, vgg16 = re.findall(r"<td>(\d+)</td>", table)
    assert (you, vgg16) == ("8", "10")
    assert int(alexnet) == table.count("✓") - 8 - 10
    assert "Behind VGG-16 (10)." in htmls(page, "round-standing")[0]
    assert page.query_params["answers"] == "".join(map(str, mine))


def test_the_address_in_the_middle_of_a_round_opens_it_there(runs):
    truth = truths(runs)
    page = play(opened("round"), truth[:4])
    assert page.query_params["answers"] == "".join(map(str, truth[:4]))
    assert page.query_params["run"] == [run.id for run in runs]
    same = opened("round", **page.query_params)
    assert (verdict(same), pictures(same)) == (verdict(page), pictures(page))


def test_the_same_round_is_played_by_its_link_and_another_has_other_images(runs):
    page = press(play(opened("round", images="all", round="7"), truths(runs, images="all", round=7)), "go on")
    assert "<b>10</b>" in htmls(page, "round-score")[0]
    (again,) = re.findall(r"href='round\?(.*?)'", htmls(page, "same round")[0])
    assert again.split("&amp;") == ["images=all", "round=7", *(f"run={run.id}" for run in runs)]
    press(page, "another")
    assert "answers" not in page.query_params
    assert page.query_params["round"] != "7"
    assert verdict(page) == "You name each image, then the networks do."


def test_the_clock_counts_only_while_an_image_is_to_be_named(runs):
    page = press(opened("round", seconds="20", since=str(int(time.time()) - 100)), "class 3")
    spent = int(page.query_params["seconds"])
    assert 120 <= spent < 130
    # Now the predictions are shown.
    assert "since" not in page.query_params
    press(press(page, "go on"), "class 3")
    assert spent < int(page.query_params["seconds"]) < spent + 10


def test_those_play_whom_the_address_names(runs):
    page = play(opened("round", run=runs[1].id), [0])
    (board,) = htmls(page, "round-board")
    assert "AlexNet" not in board
    assert "it fools" not in verdict(page)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("answers", "abc"),
        ("answers", "12345678901"),
        ("since", "yesterday"),
        ("seconds", "-3"),
        ("round", "0"),
        ("images", "easy"),
        ("dataset", "imagenet"),
        ("run", "alexnet-mnist-quick-20200101-000000-0000"),
    ],
)
@pytest.mark.parametrize("begun", [False, True])
def test_what_makes_no_sense_in_an_address_is_said_and_ignored(runs, name, value, begun):
    page = opened("round", **({"answers": "3", "since": "1000000"} if begun else {}) | {name: value})
    assert page.warning
    assert "ignored" in page.warning[0].value or "There is no run called" in page.warning[0].value
    assert htmls(page, "round-board")


def test_a_round_without_one_of_its_networks_says_that_its_images_may_be_others(runs):
    page = opened("round", run=[runs[0].id, "alexnet-mnist-quick-20200101-000000-0000"], answers="3")
    assert page.warning[-1].value.startswith("Not every network of this link can play here")


def test_a_run_on_other_images_does_not_play(runs):
    other = finished_run("alexnet", "cifar10")
    page = opened("round", run=[runs[0].id, other.id])
    assert page.info[0].value.startswith(f"{other.id} has no predictions of the test images of MNIST")


def test_two_networks_of_one_kind_say_which_run_each_is(runs):
    longer = finished_run("alexnet", epochs=9)
    page = opened("round", run=[runs[0].id, longer.id, runs[1].id])
    (board,) = htmls(page, "round-board")
    names = re.findall("role='rowheader'>(.*?)</b>", board)
    assert names == ["You", "AlexNet, Quick, epochs 4", "AlexNet, Quick, epochs 9", "VGG-16, Quick"]
