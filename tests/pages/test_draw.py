"""The Draw page as its script runs: with no run, with one running, with some finished."""

import base64
import json
import time
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.digits.ink import digit_of
from core.digits.pictures import read_picture
from core.digits.strokes import digit_image
from core.export.litert_reader import Classifier
from core.networks.catalogue import NETWORKS
from core.palette import NETWORK_COLOURS
from core.results.reference import NETWORKS_OF_REPORT
from core.runs.run import Run, list_runs
from pages.parts import data
from pages.parts.draw import predictions
from pages.parts.draw.pad import PEN_WIDTH
from pages.parts.draw.predictions import common, verdict
from pages.parts.style import percent
from tests.folders import finished_run, started_run
from tests.penmanship import address_of, strokes, teach
from tests.picture_files import INK, PAPER, saved

pytestmark = pytest.mark.usefixtures("artifacts")
LABELS = [NETWORKS[network]["label"] for network in NETWORKS_OF_REPORT]


def opened(drawing=None, runs=(), answer=None, link=None):
    """The page with a drawing left from an earlier visit, these runs in its URL, who answers, and a drawing."""
    page = AppTest.from_file(str(Path(__file__).parents[2] / "app.py"), default_timeout=60)
    page.switch_page("pages/draw.py")
    if drawing is not None:
        page.session_state["pad sheet"] = {"number": 1, "strokes": drawing, "picture": None}
    page.query_params["run"] = [run.id for run in runs]
    for name, value in (("answer", answer), ("drawing", link)):
        if value is not None:
            page.query_params[name] = value
    return checked(page.run())


def checked(page):
    assert not page.exception
    return page


def shown(page, component):
    """The data of one of the page's components."""
    (found,) = [e.proto for e in page.get("bidi_component") if e.proto.component_name == component]
    return json.loads(found.json)


def offers(page):
    return [button.label for button in page.button]


def test_with_no_run_the_pad_works_and_every_network_can_be_trained():
    page = opened(strokes(7))
    assert shown(page, "drawing_pad")["strokes"] == strokes(7)
    answers = shown(page, "predictions")
    assert answers["verdict"] == "No network has learned to read digits yet."
    assert answers["networks"] == []
    np.testing.assert_array_equal(
        np.frombuffer(base64.b64decode(answers["image"]), np.uint8).reshape(28, 28), digit_image(strokes(7))
    )
    assert offers(page) == [f"Train {label}" for label in LABELS]


def test_the_offer_starts_a_quick_run_and_shows_it_on_train():
    page = opened()
    checked(page.button(key="resnet34-mnist").click().run())
    (run,) = list_runs()
    config = run.read_config()
    assert (config.network, config.dataset, config.recipe) == ("resnet34", "mnist", "quick")
    assert page.title[0].value == "Train"
    assert run.id in page.query_params["run"]


def test_a_run_that_still_learns_is_linked_and_not_offered_again():
    run = started_run("vgg16")
    page = opened(strokes(7))
    assert shown(page, "predictions")["networks"] == []
    (link,) = [e.proto for e in page.get("page_link") if "is learning" in e.proto.label]
    assert link.label == "VGG-16 is learning digits, epoch 3 of 4. It answers here when it is done."
    assert link.query_string == f"run={run.id}"
    assert offers(page) == ["Train AlexNet", "Train ResNet-34"]


def test_runs_on_other_images_do_not_answer():
    teach(finished_run(dataset="fashion_mnist"))
    started_run(dataset="cifar10")
    page = opened(strokes(7))
    assert shown(page, "predictions")["networks"] == []
    assert len(offers(page)) == len(NETWORKS_OF_REPORT)


@pytest.mark.parametrize("digit", [7, 8])
def test_every_trained_network_reads_the_drawing(digit):
    runs = {network: teach(finished_run(network)) for network in NETWORKS_OF_REPORT}
    page = opened(strokes(digit))
    answers = shown(page, "predictions")
    assert answers["verdict"] == f"All three networks read {'an' if digit == 8 else 'a'} {digit}."
    for card, (network, run) in zip(answers["networks"], runs.items(), strict=True):
        assert (card["label"], card["colour"]) == (NETWORKS[network]["label"], NETWORK_COLOURS[network])
        assert card["about"].startswith(percent(run.read_metrics()["best"]["test_accuracy"]))
        assert card["run"].endswith(run.id[-4:])
        assert card["reading"] == np.argmax(card["probabilities"]) == digit
        assert sum(card["probabilities"]) == pytest.approx(1, abs=1e-3)
        assert not card["odd"]
    assert offers(page) == []


def test_an_empty_pad_waits():
    teach(finished_run())
    answers = shown(opened(), "predictions")
    assert answers["verdict"] == "Waiting for a digit."
    assert answers["image"] is None
    assert [card["reading"] for card in answers["networks"]] == [None]


def test_of_two_runs_of_a_network_the_better_one_answers():
    runs = [teach(finished_run(wrong=wrong)) for wrong in (0.3, 0.0, 0.5)]
    for run, validation_accuracy in zip(runs, (0.7, 0.98, 0.6), strict=True):
        metrics = run.read_metrics()
        metrics["best"]["validation_accuracy"] = validation_accuracy
        run.write_metrics(metrics)
    (card,) = shown(opened(strokes(3), answer="best"), "predictions")["networks"]
    assert card["run"].endswith(runs[1].id[-4:])


def shipped(run):
    """The run as one that came with the project."""
    run.shipped_path.touch()
    return run


def made(run, seconds_ago):
    """The run as one that was made so many seconds ago."""
    run.describe(created=time.time() - seconds_ago)
    name = run.id.split("-")
    moment = time.strftime("%Y%m%d-%H%M%S", time.localtime(time.time() - seconds_ago)).split("-")
    return Run(run.path.rename(run.path.with_name("-".join([*name[:3], *moment, name[-1]]))))


def test_what_a_class_has_just_trained_answers_in_place_of_a_better_run():
    included = shipped(made(teach(finished_run(wrong=0.0, recipe="modern")), 86_400))
    ours = teach(finished_run(wrong=0.5))
    (card,) = shown(opened(strokes(3)), "predictions")["networks"]
    assert card["run"].endswith(ours.id[-4:])
    assert (card["label"], card["which"]) == (
        "AlexNet",
        f"quick, {time.strftime('%H:%M', time.localtime(data.created(ours)))}",
    )
    (card,) = shown(opened(strokes(3), answer="best"), "predictions")["networks"]
    assert card["run"].endswith(included.id[-4:])
    assert (card["label"], card["which"]) == ("AlexNet", "modern, included")


def test_a_run_in_the_url_answers_beside_the_newest_and_both_are_told_apart():
    old, new = made(teach(finished_run(recipe="modern")), 3 * 86_400), teach(finished_run())
    answers = shown(opened(strokes(3), [old]), "predictions")
    day = time.localtime(data.created(old))
    assert sorted(card["which"] for card in answers["networks"]) == sorted(
        [
            f"modern, {day.tm_mday} {time.strftime('%b', day)}",
            f"quick, {time.strftime('%H:%M', time.localtime(data.created(new)))}",
        ]
    )
    assert {card["reading"] for card in answers["networks"]} == {3}


def test_two_runs_of_the_same_minute_are_told_apart():
    runs = [teach(finished_run()) for _ in range(2)]
    cards = shown(opened(strokes(3), runs), "predictions")["networks"]
    assert len({card["which"] for card in cards}) == 2
    assert {card["which"].split(", ")[-1] for card in cards} == {run.id[-4:] for run in runs}


def test_those_who_answer_can_be_chosen_in_the_address():
    runs = [teach(finished_run(network)) for network in NETWORKS_OF_REPORT]
    page = opened(strokes(3), runs[:1], answer="any")
    assert [card["label"] for card in shown(page, "predictions")["networks"]] == ["AlexNet"]
    checked(page.multiselect(key="chosen to answer").select(runs[2]).run())
    assert page.query_params["run"] == [runs[0].id, runs[2].id]
    assert [card["label"] for card in shown(page, "predictions")["networks"]] == ["AlexNet", "ResNet-34"]


def test_a_choice_in_the_address_that_is_none_gets_one_sentence():
    teach(finished_run())
    page = opened(strokes(3), answer="<b>all")
    assert [warning.value for warning in page.warning] == [
        "“Who answers” in the link is none of the choices, so it is ignored."
    ]


def test_no_more_networks_answer_at_once_than_can_be_read(monkeypatch):
    for network in NETWORKS_OF_REPORT:
        teach(finished_run(network))
    monkeypatch.setattr(predictions, "MOST_AT_ONCE", 2)
    page = opened(strokes(3))
    assert len(shown(page, "predictions")["networks"]) == 2
    assert any(caption.value.startswith("1 other network has learned digits too") for caption in page.caption)


def test_a_network_that_still_learns_is_promised_only_what_happens():
    shipped(teach(finished_run(recipe="modern")))
    started_run()
    for choice, promise in (("newest", "It answers here when it is done."), ("any", "When it is done, you can choose")):
        (link,) = [e.proto for e in opened(answer=choice).get("page_link") if "is learning" in e.proto.label]
        assert promise in link.label


def test_why_a_perfect_digit_is_not_read_with_certainty_is_said_beside_it():
    teach(finished_run(recipe="quick"))
    assert "label smoothing" not in shown(opened(), "predictions")["why"]
    teach(finished_run("vgg16", recipe="modern"))
    why = shown(opened(), "predictions")["why"]
    assert why.startswith("Why is even a perfect 7 only 91 % sure? VGG-16 learned with ")
    assert '">label smoothing</span>' in why


def test_a_drawing_in_the_address_lies_on_the_pad_and_is_read():
    teach(finished_run())
    page = opened(link=address_of(strokes(7)))
    np.testing.assert_allclose(shown(page, "drawing_pad")["strokes"][0]["points"], strokes(7)[0]["points"], atol=0.0006)
    assert shown(page, "predictions")["verdict"] == "AlexNet reads a 7."
    page.session_state["pad sheet"] = page.session_state["pad sheet"] | {"strokes": []}
    assert shown(checked(page.run()), "drawing_pad")["strokes"] == [], "the link is laid on the pad again"


@pytest.mark.parametrize("text", ["%%%", "A", "qFwR", "qFwR4NuD.", "gggg", "A" * 4001, "AAA", "qFwR4N" + "g" * 900])
def test_a_drawing_in_the_address_that_cannot_be_read_gets_one_sentence(text):
    teach(finished_run())
    page = opened(link=text)
    (warning,) = page.warning
    assert warning.value.endswith(".")
    assert shown(page, "predictions")["verdict"] == "Waiting for a digit."


def test_a_run_in_the_url_that_cannot_answer_is_explained():
    other_images, unfinished = finished_run("vgg16", "cifar10"), started_run()
    texts = [info.value for info in opened(strokes(3), [other_images, unfinished]).info]
    assert "VGG-16 on CIFAR-10 has not learned digits, so it does not answer here." in texts
    assert f"{unfinished.id} has not been trained and tested yet, so it does not answer here." in texts


def test_a_run_in_the_url_that_cannot_be_read_is_named():
    run = teach(finished_run())
    run.config_path.write_text("{")
    page = opened(strokes(3), [run])
    (warning,) = page.warning
    assert warning.value.startswith(f"{run.id}: config.json: line 1 is not JSON; ")


def test_a_damaged_network_is_named_and_the_others_answer():
    damaged, sound = finished_run("alexnet"), teach(finished_run("vgg16"))
    damaged.tflite_path.write_bytes(b"half a netw")
    page = opened(strokes(3))
    (warning,) = page.warning
    assert warning.value.startswith(f"{damaged.id}: model.tflite: it is not a LiteRT network; ")
    (card,) = shown(page, "predictions")["networks"]
    assert card["run"].endswith(sound.id[-4:])


def test_nonsense_from_the_browser_gets_one_sentence():
    teach(finished_run())
    page = opened([{"width": 5, "points": [["a", None]]}])
    assert [error.value for error in page.error] == ["This drawing could not be read; clear the pad and draw again."]
    assert shown(page, "predictions")["verdict"] == "Waiting for a digit."


def test_the_drawing_survives_a_visit_to_another_page():
    page = opened(strokes(5))
    checked(page.switch_page("pages/train.py").run())
    checked(page.switch_page("pages/draw.py").run())
    assert shown(page, "drawing_pad")["strokes"] == strokes(5)


def upload(page, content, name="seven.png"):
    return checked(page.file_uploader[0].upload(name, content).run())


def seen(page):
    """What the networks see, uint8 (28, 28)."""
    return np.frombuffer(base64.b64decode(shown(page, "predictions")["image"]), np.uint8).reshape(28, 28)


def test_a_chosen_picture_lies_on_the_pad_and_is_read_in_place_of_the_drawing():
    teach(finished_run())
    page = upload(opened(strokes(3)), saved(PAPER), name="a <b>seven</b>.png")
    pad = shown(page, "drawing_pad")
    assert (pad["number"], pad["strokes"]) == (2, [])
    assert pad["picture"].startswith("data:image/png;base64,")
    np.testing.assert_array_equal(seen(page), digit_of(read_picture(saved(PAPER))))
    assert shown(page, "predictions")["verdict"] == "AlexNet reads a 7."
    assert not page.file_uploader
    assert any("a &lt;b&gt;seven&lt;/b&gt;.png" in element.proto.body for element in page.get("html"))
    assert not any("<b>seven" in element.proto.body for element in page.get("html"))


def test_a_picture_can_be_removed_and_another_chosen():
    page = upload(opened(), saved(PAPER))
    (remove,) = [button for button in page.button if button.label == "Remove"]
    checked(remove.click().run())
    assert shown(page, "predictions")["image"] is None
    assert shown(page, "drawing_pad")["picture"] is None
    assert seen(upload(page, saved(INK))).any()


def test_a_picture_survives_a_visit_to_another_page():
    page = upload(opened(), saved(PAPER))
    before = seen(page)
    checked(page.switch_page("pages/train.py").run())
    checked(page.switch_page("pages/draw.py").run())
    np.testing.assert_array_equal(seen(page), before)
    assert shown(page, "drawing_pad")["picture"]


def test_what_is_no_picture_is_said_in_one_sentence_and_the_drawing_stays():
    page = upload(opened(strokes(3)), b"<script>alert(7)</script>")
    assert [error.value for error in page.error] == [
        "This file is not a picture that can be read here: choose a PNG, JPEG, WebP, GIF or BMP."
    ]
    assert shown(page, "drawing_pad")["strokes"] == strokes(3)
    np.testing.assert_array_equal(seen(page), digit_image(strokes(3)))
    page = upload(page, saved(PAPER))
    assert not page.error


def test_the_pens_first_width_is_one_that_it_may_have():
    lowest, highest = shown(opened(), "drawing_pad")["penWidths"]
    assert lowest <= PEN_WIDTH <= highest


@pytest.mark.parametrize(
    ("labels", "readings", "sentence"),
    [
        (["AlexNet"], [8], "AlexNet reads an 8."),
        (["AlexNet", "VGG-16"], [1, 1], "Both networks read a 1."),
        (LABELS, [0, 0, 0], "All three networks read a 0."),
        ([*LABELS, "More"], [2, 2, 2, 2], "All 4 networks read a 2."),
        (["AlexNet", "VGG-16"], [1, 7], "They disagree: AlexNet reads a 1, VGG-16 reads a 7."),
        (LABELS, [1, 7, 7], "They disagree: VGG-16 and ResNet-34 read a 7, AlexNet reads a 1."),
        ([*LABELS, "More"], [3, 3, 8, 3], "They disagree: AlexNet, VGG-16 and More read a 3, ResNet-34 reads an 8."),
    ],
)
def test_the_verdict_says_who_reads_what(labels, readings, sentence):
    assert verdict(labels, readings) == sentence


@pytest.mark.parametrize(
    ("readings", "digit"), [([4], 4), ([4, 4], 4), ([4, 9], None), ([4, 9, 9], 9), ([1, 2, 3], None)]
)
def test_the_common_reading_is_that_of_the_most_networks(readings, digit):
    assert common(readings) == digit


@pytest.fixture
def loaded(monkeypatch):
    """The ids of the runs whose networks are loaded from disk, one each time."""
    ids, load = [], Classifier.__init__

    def count_and_load(classifier, run, keeps_all=False):
        ids.append(run.id)
        load(classifier, run, keeps_all)

    monkeypatch.setattr(Classifier, "__init__", count_and_load)
    return ids


def test_no_network_is_loaded_twice_while_one_draws_for_eight(loaded):
    runs = [teach(finished_run()) for _ in range(8)]
    page = opened(strokes(3), runs)
    assert len(shown(page, "predictions")["networks"]) == 8
    for digit in (5, 8):
        page.session_state["pad sheet"] = {"number": 1, "strokes": strokes(digit), "picture": None}
        checked(page.run())
        assert {card["reading"] for card in shown(page, "predictions")["networks"]} == {digit}
    assert sorted(loaded) == sorted(run.id for run in runs)


def test_networks_that_would_take_too_much_memory_are_named_and_not_loaded(loaded, monkeypatch):
    runs = [teach(finished_run()) for _ in range(4)]
    monkeypatch.setattr(data, "NETWORK_BYTES", 3 * runs[0].tflite_path.stat().st_size)
    page = opened(strokes(3), runs)
    assert len(shown(page, "predictions")["networks"]) == len(set(loaded)) == 3
    (left_out,) = {run.id for run in runs} - set(loaded)
    (warning,) = [element.value for element in page.warning]
    assert warning.startswith(f"{left_out} does not answer here: ")
