"""The Overview page as its script runs: with no run, with one running, with some finished."""

import html
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.config.recipes import RECIPES, make_config
from core.datasets.catalogue import DATASETS
from core.datasets.test_images import load_test_images
from core.networks.catalogue import NETWORKS
from core.results import scores
from core.results import table as results
from core.results.reference import AUTHOR, NETWORKS_OF_REPORT, REPORT, TEST_IMAGES, TITLE
from core.results.statistics import BETTER, NO_CLEAR_DIFFERENCE, WORSE, compare_accuracies, wilson_interval
from core.runs.run import list_runs
from pages.parts.image_grid import png_address
from pages.parts.scorecard import VERDICTS
from pages.parts.style import percent
from tests.every_page import PAGES
from tests.folders import finished_run, started_run

pytestmark = pytest.mark.usefixtures("artifacts")
PAIRS = [(network, dataset) for network in NETWORKS_OF_REPORT for dataset in DATASETS]
APP = str(Path(__file__).parents[2] / "app.py")


def opened():
    page = AppTest.from_file(APP, default_timeout=60).run()
    assert not page.exception
    return page


def cells(page):
    """(network, dataset) -> the HTML of its cell."""
    texts = [element.proto.body for element in page.get("html")]
    return dict(zip(PAIRS, [text for text in texts if "class='score'" in text], strict=True))


def links(page, label):
    """The query of each link on the cards that is called so, in the page's order."""
    ours = (re.findall(rf'href="\w+\?([^"]*)"[^>]*>{label}</a>', below) for below in pictures(page))
    theirs = (link.proto for link in page.get("page_link") if link.proto.label.startswith(f"{label} *"))
    return [html.unescape(query) for found in ours for query in found] + [link.query_string for link in theirs]


def guide(page):
    """(page, title) of each link above the grid."""
    (body,) = (element.proto.body for element in page.get("html") if "class='doors'" in element.proto.body)
    return re.findall(r"href='(\w+)'><i[^>]*>\w+</i>([^<]+)<", body)


def summary(page):
    """What stands above the grid."""
    return " ".join(element.value for element in page.markdown)


def pictures(page):
    """The HTML below each score."""
    return [element.proto.body for element in page.get("html") if "class='pictures'" in element.proto.body]


def test_with_no_run_every_pair_shows_the_reports_figure_and_offers_to_train():
    page = opened()
    assert {button.key for button in page.button} == {f"{network}-{dataset}" for network, dataset in PAIRS}
    for pair, cell in cells(page).items():
        assert percent(REPORT[pair]["test_accuracy"]) in cell
        assert "Not trained yet" in cell
    assert "None of the 9 pairs is trained yet" in summary(page)


def test_the_cards_lead_to_the_other_pages():
    assert {name for name, _ in guide(opened())} == set(PAGES[1:])


def test_a_click_on_an_untrained_pair_starts_a_quick_run_and_shows_it():
    page = opened()
    page.button(key="vgg16-fashion_mnist").click().run()
    assert not page.exception
    (run,) = list_runs()
    assert run.read_config() == make_config("vgg16", "fashion_mnist", "quick")
    assert page.title[0].value == "Train"
    assert page.query_params["run"] == run.id


def test_a_running_pair_shows_how_far_it_is_and_leads_to_the_train_page():
    run = started_run("resnet34", "cifar10", epochs_done=2, epochs=4)
    page = opened()
    (bar,) = page.get("progress")
    # Two epochs of four and 5 steps of 20 are done.
    assert (bar.proto.value, bar.proto.text) == (56, "Epoch 3 of 4")
    assert links(page, "Watch it learn") == [f"run={run.id}"]
    assert "resnet34-cifar10" not in {button.key for button in page.button}
    assert len(page.button) == len(PAIRS) - 1


def test_a_pair_that_is_trained_again_keeps_its_score_beside_the_progress():
    finished_run()
    run = started_run()
    page = opened()
    assert links(page, "Gallery") != []
    assert links(page, "Watch it learn") == [f"run={run.id}"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_finished_pair_shows_ours_beside_the_reports_and_leads_to_its_run(recipe):
    run = finished_run("alexnet", "mnist", recipe)
    accuracy = run.read_metrics()["best"]["test_accuracy"]
    page = opened()
    cell = cells(page)["alexnet", "mnist"]
    assert percent(accuracy) in cell
    assert "from the report’s 99.22 %" in cell
    assert f"{RECIPES[recipe]['label']} recipe: epoch 3 of 3" in cell
    assert "The report: 28 epochs, 13 min" in cell
    low, high = wilson_interval(10_000 * accuracy, 10_000)
    assert f"95 % interval {100 * low:.2f} % to {100 * high:.2f} %" in cell
    compared = compare_accuracies(accuracy, 10_000, 0.9922, TEST_IMAGES)
    difference, low, high = (f"{100 * share:+.2f}".replace("-", "−") for share in compared[:3])
    assert f"{difference} points" in cell
    assert f"95 % interval {low} to {high}" in cell
    assert links(page, "Gallery") == links(page, "Curves") == [f"run={run.id}"]
    assert "1 of 9 pairs trained" in summary(page)


@pytest.mark.parametrize(("total", "said"), [(None, "not recorded"), (600.0, "10 min")])
def test_the_time_of_the_epochs_and_the_time_in_all_are_told_apart(total, said):
    run = finished_run()
    metrics = {name: value for name, value in run.read_metrics().items() if name != "total_seconds"}
    run.write_metrics(metrics | ({"total_seconds": total} if total else {}))
    assert f"Training time 38 s, in all {said}" in cells(opened())["alexnet", "mnist"]


def with_test_accuracy(run, accuracy):
    metrics = run.read_metrics()
    run.write_metrics(metrics | {"best": metrics["best"] | {"test_accuracy": accuracy}})


def test_each_verdict_has_its_word_and_is_counted():
    verdicts = {"alexnet": (0.005, BETTER), "vgg16": (0, NO_CLEAR_DIFFERENCE), "resnet34": (-0.05, WORSE)}
    for network, (shift, _) in verdicts.items():
        with_test_accuracy(finished_run(network), REPORT[network, "mnist"]["test_accuracy"] + shift)
    page = opened()
    rows = results.best_runs(results.table(list_runs())[0])
    for (network, (_, word)), difference in zip(verdicts.items(), ("+0.50", "+0.00", "−5.00"), strict=True):
        assert rows[network, "mnist"]["verdict"] == word
        assert VERDICTS[word][0] in cells(page)[network, "mnist"]
        assert f"{difference} points" in cells(page)[network, "mnist"]
    assert percent(REPORT["alexnet", "mnist"]["test_accuracy"] + 0.005) in cells(page)["alexnet", "mnist"]
    assert (
        "3 of 9 pairs trained. Judged together, with Holm's correction: 1 better than the report, "
        "1 with no clear difference, 1 worse."
    ) in summary(page)


def test_a_pair_that_is_better_alone_need_not_be_counted_among_many():
    for pair, figures in REPORT.items():
        with_test_accuracy(finished_run(*pair), figures["test_accuracy"] + 0.0026 * (pair == ("alexnet", "mnist")))
    page = opened()
    assert VERDICTS[BETTER][0] in cells(page)["alexnet", "mnist"]
    assert summary(page).endswith(
        "correction: 0 better than the report, 9 with no clear difference, 0 worse. "
        "Judged one by one, as on the cards: 1 better than the report, 8 with no clear difference, 0 worse."
    )


def test_one_trained_pair_needs_no_correction():
    with_test_accuracy(finished_run(), 0.9958)
    sentence = "1 of 9 pairs trained. 1 better than the report, 0 with no clear difference, 0 worse."
    assert sentence in summary(opened())


def test_a_run_on_ten_images_does_not_take_over_the_card():
    full, toy = finished_run(recipe="modern"), finished_run(train_examples=10)
    metrics = toy.read_metrics()
    toy.write_metrics(metrics | {"best": metrics["best"] | {"validation_accuracy": 1.0}})
    assert links(opened(), "Gallery") == [f"run={full.id}"]


def test_a_damaged_run_is_one_sentence_and_the_rest_is_shown():
    damaged, sound = finished_run("vgg16"), finished_run("alexnet")
    damaged.metrics_path.write_text("{")
    page = opened()
    (warning,) = page.warning
    assert warning.value.startswith(f"{damaged.id}: metrics.json: line 1 is not JSON; ")
    assert links(page, "Gallery") == [f"run={sound.id}"]


def test_a_stranger_is_told_what_this_is_which_report_and_what_to_do_first():
    page = opened()
    introduction = page.markdown[0].value
    assert TITLE in introduction
    assert AUTHOR in introduction
    (about,) = page.get("popover")
    assert about.proto.popover.label == "About the report"
    assert "What it found." in about.markdown[0].value
    assert guide(page)[:6] == [
        ("draw", "Draw a digit"),
        ("gallery", "See the mistakes"),
        ("inside", "Look inside"),
        ("networks", "Walk the road"),
        ("compare", "Compare the runs"),
        ("train", "Train a network"),
    ]
    assert any("Start here" in element.proto.body for element in page.get("html"))


def test_each_cell_shows_its_curve_and_two_images_that_it_gets_wrong_the_surest_first():
    run = finished_run("alexnet", "fashion_mnist")
    found = run.read_predictions()
    first, second = scores.cases(found["logits"], found["labels"], correct=False)[:2]
    (cell,) = pictures(opened())
    classes = DATASETS["fashion_mnist"]["classes"]
    said = re.findall(r'alt="([^"]+)"', cell)
    assert said[0] == "Validation accuracy over 3 epochs: from 65.00 % to 88.33 %"
    assert said[1:] == [
        f"Test image {image}: {classes[image % 10]}, taken for {classes[(image + 1) % 10]}, 82 % sure"
        for image in (first, second)
    ]
    assert f'href="gallery?run={run.id}&amp;image={first}"' in cell
    picture = re.search(rf'src="([^"]+)" alt="Test image {first}:', cell)[1]
    assert picture == png_address(load_test_images("fashion_mnist")[first])


def test_without_the_images_or_a_history_a_cell_shows_what_there_is(monkeypatch):
    run = finished_run()
    monkeypatch.setattr("pages.parts.scorecard.at_hand", lambda name: False)
    (cell,) = pictures(opened())
    assert re.findall(r"<img", cell) == ["<img"]
    run.history_path.write_text("epoch\n1\n")
    page = opened()
    assert re.findall(r"<img", pictures(page)[0]) == []
    assert links(page, "Gallery") == [f"run={run.id}"]


def test_a_network_that_the_report_does_not_have_stands_on_the_road_with_its_best_run():
    run = finished_run("lenet5", "mnist")
    (road,) = (element.proto.body for element in opened().get("html") if "<nav class='road'" in element.proto.body)
    stops = dict(re.findall(r"network=(\w+)'.*?</span>(.*?)</a>", road))
    assert set(stops) == set(NETWORKS)
    low, high = wilson_interval(10_000 * run.read_metrics()["best"]["test_accuracy"], 10_000)
    (figure,) = re.findall(r"<small title='(.*?)'>(.*?)</small>", stops.pop("lenet5"))
    accuracy = percent(run.read_metrics()["best"]["test_accuracy"])
    assert figure == (
        f"{run.id}: {accuracy} of the test images, 95 % interval {percent(low)} to {percent(high)}",
        f"MNIST {accuracy}",
    )
    assert set(stops.values()) == {""}


def test_three_lines_a_card_and_the_rest_at_a_click():
    finished_run()
    (seen, hidden) = cells(opened())["alexnet", "mnist"].split("</summary>")
    assert "interval" not in seen
    assert hidden.count("<div>") == 5
