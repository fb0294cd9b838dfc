"""The Train page as its script runs: with no run, with one running, with some finished."""

import itertools
import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from filelock import FileLock
from streamlit.testing.v1 import AppTest

from core.config import run_config as run_config
from core.config.fields import Number
from core.config.recipes import RECIPES, make_config
from core.datasets.catalogue import DATASETS
from core.jobs import scheduler
from core.networks.catalogue import NETWORKS
from core.results.reference import NETWORKS_OF_REPORT, REPORT
from core.results.statistics import wilson_interval
from core.runs.run import create_run, list_runs
from pages.parts import data, glossary
from pages.parts.charts.live_chart import RANGES
from pages.parts.settings_form import FIELDS
from pages.parts.start_grid import other_networks
from pages.parts.style import pair_label, percent, plain
from tests.folders import finished_run, started_run
from tests.penmanship import teach

pytestmark = pytest.mark.usefixtures("artifacts")
PAIRS = [(network, dataset) for network in NETWORKS for dataset in DATASETS]
APP = str(Path(__file__).parents[2] / "app.py")
TINY = {"epochs": "2", "image_size": "16", "train_examples": "100"}


def opened(all_networks=True, **query):
    """The page, with every network in its grid, or with the report's alone."""
    page = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        page.query_params[name] = value
    if all_networks:
        page.query_params["more"] = other_networks()
    page = page.switch_page("pages/train.py").run()
    assert not page.exception
    return page


def start_buttons(page):
    return {pair: page.button(key=f"start_{pair[0]}_{pair[1]}") for pair in PAIRS}


def html(page):
    return "\n".join(element.proto.body for element in page.get("html"))


def charts(page):
    """What each live chart was given."""
    found = [element.proto for element in page.get("bidi_component") if element.proto.component_name == "live_chart"]
    return [json.loads(proto.mixed.json or proto.json) for proto in found]


def badges(page):
    return [text.value for text in page.markdown if "-badge[" in text.value]


def links(page):
    return {link.proto.page: link.proto.query_string for link in page.get("page_link")}


def test_with_no_run_every_pair_can_be_clicked_and_says_how_long_it_takes():
    page = opened()
    for pair, button in start_buttons(page).items():
        assert button.label.startswith(f"{pair_label(*pair)} :small[about ")
        assert not button.disabled
    assert "Nothing has been trained yet" in page.info[0].value
    assert charts(page) == []


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_says_what_it_is_and_changes_the_times(recipe):
    page = opened(recipe=recipe)
    assert RECIPES[recipe]["about"] in [caption.value for caption in page.caption]
    assert page.query_params.get("recipe", "quick") == recipe
    for pair, button in start_buttons(page).items():
        config = make_config(*pair, recipe)
        assert (":small[at most " in button.label) == bool(config.early_stopping_patience)
        assert f"{config.epochs} epochs of" in button.help


def test_one_epoch_is_no_epochs():
    for button in start_buttons(opened(epochs="1")).values():
        assert button.help.startswith("1 epoch of ")


def test_the_quick_recipe_comes_first():
    page = opened()
    (recipes,) = [group for group in page.segmented_control if group.label == "Recipe"]
    assert recipes.options[0] == RECIPES["quick"]["label"]
    assert set(recipes.options) == {recipe["label"] for recipe in RECIPES.values()}


def test_what_takes_days_says_so_before_a_click():
    page = opened(recipe="paper")
    labels = {pair: button.label for pair, button in start_buttons(page).items()}
    assert re.search(r":small\[about \d+ days\]$", labels["wrn28_10", "cifar10"])
    assert "days" not in labels["resnet20", "mnist"]


def parameters_said(page):
    labels = {entry["label"]: name for name, entry in NETWORKS.items()}
    said = re.findall(r"<b>([^<]*)</b><span>[^<]* · ([^·<]*) parameters", html(page))
    return {labels[label]: parameters for label, parameters in said}


def test_the_reports_networks_come_first_and_the_others_are_a_click_further():
    page = opened()
    assert list(parameters_said(page))[: len(NETWORKS_OF_REPORT)] == list(NETWORKS_OF_REPORT)
    assert set(parameters_said(page)) == set(NETWORKS)
    assert list(parameters_said(opened(all_networks=False))) == list(NETWORKS_OF_REPORT)
    (more,) = (group for group in page.get("button_group") if group.label.startswith("More networks"))
    assert [option.content for option in more.proto.options] == [
        NETWORKS[network]["label"] for network in other_networks()
    ]
    families = [NETWORKS[network]["family"] for network in other_networks()]
    assert len(list(itertools.groupby(families))) == len(set(families))


def test_the_grid_says_how_many_parameters_the_runs_on_offer_have():
    assert parameters_said(opened())["vgg16"] == "33.7 M"
    assert parameters_said(opened(recipe="report"))["vgg16"] == "39.9 M"
    assert parameters_said(opened(image_size="224"))["alexnet"] == "72.0 M"


def test_the_grid_says_no_number_of_parameters_where_the_settings_are_wrong():
    page = opened()
    page = page.text_input(key="epochs").set_value("501").run()
    assert "8 layers" in html(page)
    assert "parameters" not in html(page)


def test_a_click_starts_one_run_with_the_settings_and_shows_it():
    page = opened(**TINY)
    start_buttons(page)["vgg16", "fashion_mnist"].click()
    page = page.run()
    assert not page.exception
    (run,) = list_runs()
    settings = {name: int(value) for name, value in TINY.items()}
    assert run.read_config() == make_config("vgg16", "fashion_mnist", "quick", **settings)
    assert page.query_params["run"] == run.id
    assert run.id in html(page)
    assert len(badges(page)) == 1

    # The second click of a double click.
    start_buttons(page)["vgg16", "fashion_mnist"].click().run()
    assert list_runs() == [run]


def test_a_new_run_joins_those_in_the_url():
    old = finished_run()
    page = opened(run=old.id, **TINY)
    start_buttons(page)["alexnet", "mnist"].click()
    page = page.run()
    (new,) = set(list_runs()) - {old}
    assert page.query_params["run"] == [old.id, new.id]
    assert [chart["run"] for chart in charts(page)] == [old.id]


def test_a_click_right_after_another_keeps_the_run_that_the_first_one_started():
    old = finished_run()
    page = opened(run=old.id, **TINY)
    start_buttons(page)["lenet5", "mnist"].click().run()
    (first,) = set(list_runs()) - {old}
    # The browser has not heard of it when the next button is clicked.
    page.query_params["run"] = old.id
    start_buttons(page)["lenet5", "cifar10"].click().run()
    (second,) = set(list_runs()) - {old, first}
    assert page.query_params["run"] == [old.id, first.id, second.id]


def test_what_trains_comes_first_then_the_queue_in_its_order_and_a_queued_card_pushes_no_chart_down(artifacts):
    (artifacts / ".slots").mkdir()
    with FileLock(artifacts / ".slots" / "0.lock"):
        check_order_of_cards()


def check_order_of_cards():
    second, third = (create_run(make_config("vgg16", "mnist")) for _ in range(2))
    at_work = started_run("resnet34")
    scheduler.move_up(third)
    data.pending.clear()
    for query in ({}, {"run": [second.id, third.id, at_work.id]}):
        page = opened(**query)
        shown = [
            run.id for key in re.findall(r"<code>(.*?)</code>", html(page)) for run in list_runs() if run.id == key
        ]
        assert shown == [at_work.id, third.id, second.id]


@pytest.mark.parametrize("axes", RANGES)
def test_the_charts_range_is_chosen_in_the_address(axes):
    run = finished_run()
    page = opened(run=run.id, axes=axes)
    (chart,) = charts(page)
    assert chart["shown"] == axes
    assert set(chart["ranges"]) == {"loss", "accuracy"}


def test_a_range_that_there_is_not_is_said():
    page = opened(run=finished_run().id, axes="linear")
    assert "in the link is none of the choices" in page.warning[0].value
    assert charts(page)[0]["shown"] == "fitted"


def test_every_hyperparameter_has_a_widget_with_its_help():
    page = opened()
    widgets = {widget.key: widget for kind in (page.text_input, page.selectbox) for widget in kind}
    names = {*run_config.FIELDS} - {"network", "dataset", "recipe"}
    assert names == set(FIELDS) == set(widgets)
    for name, field in FIELDS.items():
        assert widgets[name].label == field.metadata["label"]
        meanings = glossary.help_on(field.metadata["label"])
        assert widgets[name].help == run_config.described(field) + (f"\n\n{meanings}" if meanings else "")
        assert widgets[name].value is None


def test_settings_in_the_url_are_said_in_words_and_can_be_reset():
    page = opened(epochs="3", flip="on", recipe="modern")
    assert (page.text_input(key="epochs").value, page.selectbox(key="flip").value) == ("3", "on")
    assert any("epochs 3, horizontal flips on" in text.value for text in page.markdown)
    (address,) = re.findall("href='([^']+)'>Reset", html(page))
    page = opened(**parse_qs(unescape(address).removeprefix("train?")))
    assert set(page.query_params) == {"recipe", "more"}
    assert page.text_input(key="epochs").value is None
    assert not any("Changed from the recipe" in text.value for text in page.markdown)


def test_a_value_out_of_range_is_said_in_a_sentence_and_nothing_is_lost():
    page = opened()
    page.text_input(key="epochs").set_value("3").run()
    numeric = {name for name, field in FIELDS.items() if isinstance(field.metadata["kind"], Number)} - {"epochs"}
    assert numeric
    for name in sorted(numeric):
        field = FIELDS[name]
        wrong = str(field.type(field.metadata["kind"].high + 1))
        page = page.text_input(key=name).set_value(wrong).run()
        assert not page.exception
        (error,) = page.error
        assert error.value.startswith(f"{field.metadata['label']} is between ")
        assert all(button.disabled for button in start_buttons(page).values())
        assert (page.text_input(key=name).value, page.text_input(key="epochs").value) == (wrong, "3")
        # Takes effect with the next field's value.
        page.text_input(key=name).set_value(None)
    assert not page.run().error
    assert list_runs() == []


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("abc", "Epochs is a whole number between 1 and 500, not 'abc'."),
        ("1e9", "Epochs is between 1 and 500, not 1000000000."),
        ("2.5", "Epochs is a whole number between 1 and 500, not 2.5."),
        ("inf", "Epochs is a whole number between 1 and 500, not Infinity."),
        ("**1**", "Epochs is a whole number between 1 and 500, not '**1**'."),
    ],
)
@pytest.mark.parametrize("where", ["address", "field"])
def test_what_is_no_number_of_epochs_is_said_in_a_sentence_and_stays_as_it_was_typed(typed, sentence, where):
    page = opened(**({"epochs": typed} if where == "address" else {}))
    if where == "field":
        page = page.text_input(key="epochs").set_value(typed).run()
    assert not page.exception
    assert [error.value for error in page.error] == [plain(sentence)]
    assert page.text_input(key="epochs").value == typed
    # A browser puts what is typed into the address.
    assert where == "field" or page.query_params["epochs"] == typed
    assert all(button.disabled for button in start_buttons(page).values())


@pytest.mark.parametrize(("typed", "value"), [("1e2", 100), ("12,000", 12_000), (" 50 ", 50)])
def test_numbers_are_read_as_people_write_them(typed, value):
    page = opened(train_examples=typed, **{"epochs": "1"})
    assert not page.error
    images = round(0.9 * value)
    assert start_buttons(page)["alexnet", "mnist"].help.startswith(f"1 epoch of {images:,} images")


def test_a_decimal_comma_is_no_thousand():
    (error,) = opened(learning_rate="0,001").error
    assert error.value == "Learning rate is a number between 0.0000001 and 10, not '0,001'."


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"optimizer": "magic"}, "Optimizer is one of adam, adamw, sgd, muon, not 'magic', so the link's is ignored."),
        ({"flip": "maybe"}, "Horizontal flips is one of on, off, not 'maybe', so the link's is ignored."),
    ],
)
def test_a_choice_that_there_is_not_is_said_where_the_link_has_it(query, sentence):
    page = opened(**query)
    assert [warning.value for warning in page.warning] == [sentence]
    assert not page.error
    assert not start_buttons(page)["alexnet", "mnist"].disabled


def test_a_running_run_shows_its_curves_its_progress_and_its_speed():
    run = started_run("resnet34", "cifar10", epochs_done=2, epochs=5)
    page = opened()
    (chart,) = charts(page)
    assert chart["run"] == run.id
    assert chart["epochs"]["x"] == [1.0, 2.0]
    assert chart["epochs"]["validation_accuracy"] == [0.65, 0.825]
    only = {"x": [2.25], "loss": [0.4], "accuracy": [0.8], "smooth_loss": [0.4], "smooth_accuracy": [0.8]}
    assert chart["steps"] == only
    assert chart["report"] == {"accuracy": REPORT["resnet34", "cifar10"]["validation_accuracy"]}
    assert [bar.proto.text for bar in page.get("progress")] == ["Epoch 3 of 5", "Step 5 of 20"]
    assert "<span>Time left</span><b>about " in html(page)
    for said in ("790", "0.001", "82.50 %", "epochs 5", run.id):
        assert said in html(page)
    assert badges(page) == [":blue-badge[training]"]


def test_before_enough_is_measured_no_time_left_is_said():
    started_run("resnet34", "cifar10", epochs_done=0, epochs=5)
    assert "<span>Time left</span><b>estimating…</b>" in html(opened())


def test_a_failed_run_says_why_and_shows_its_log_as_it_is():
    run = started_run()
    run.write_status(state="failed", phase=None, error="The disk is full; delete something and train again.")
    run.log_path.write_text("<b>first</b>\n" + "\n".join(f"line {number}" for number in range(60)))
    page = opened(run=run.id)
    assert page.error[0].value == "The disk is full; delete something and train again."
    assert page.code[0].value.splitlines()[-1] == "line 59"
    assert "<b>first</b>" not in html(page)
    assert badges(page) == [":red-badge[failed]"]


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_finished_run_shows_its_test_accuracy_and_leads_on(dataset):
    run = finished_run("vgg16", dataset)
    run.tflite_path.touch()
    page = opened(run=run.id)
    best = run.read_metrics()["best"]
    assert glossary.marked(f"Test accuracy, epoch {best['epoch']}") in html(page)
    assert percent(best["test_accuracy"]) in html(page)
    assert percent(REPORT["vgg16", dataset]["test_accuracy"]) in html(page)
    low, high = wilson_interval(10_000 * best["test_accuracy"], 10_000)
    (how_sure,) = (text.value for text in page.caption if "95 % interval" in text.value)
    assert f"95 % interval from {percent(low)} to {percent(high)}. It differs from the report’s by " in how_sure
    assert set(links(page)) == {"gallery", "compare"} | ({"draw"} if dataset == "mnist" else set())
    assert set(links(page).values()) == {f"run={run.id}"}
    assert not page.get("progress")


def test_a_finished_run_says_how_long_it_took_and_where_it_was_trained():
    run = finished_run()
    facts = {"started": 1.8e9, "seconds": 50.0, "gpus": [], "first_step": 0}
    first = facts | {"first_epoch": 1, "processor": "Old [Processor](https://example.org)", "cores": 2}
    second = facts | {"first_epoch": 3, "processor": "New Processor", "cores": 4}
    run.describe(sessions=[first, second])
    run.write_metrics(run.read_metrics() | {"total_seconds": 130.0})
    page = opened(run=run.id)
    assert "<span>Training time</span><b>38 s</b>" in html(page)
    assert "<span>In all</span><b>2 min</b>" in html(page)
    page = opened(run=run.id, details="environment")
    said = next(text.value for text in page.markdown if text.value.startswith("Trained in"))
    assert said == (
        r"Trained in 2 sessions: epochs 1 to 2 on Old \[Processor\](https://example.org), 2 cores; "
        "epoch 3 on New Processor, 4 cores."
    )


@pytest.mark.parametrize("damage", [lambda run: run.history_path.write_text("no table"), lambda run: None])
def test_a_run_from_before_its_times_and_sessions_were_recorded_shows_what_there_is(damage):
    run = finished_run()
    metrics = run.read_metrics()
    metrics.pop("total_seconds", None)
    run.write_metrics(metrics)
    damage(run)
    page = opened(run=run.id)
    assert "In all" not in html(page)
    page = opened(run=run.id, details="environment")
    assert not [text.value for text in page.markdown if text.value.startswith("Trained in")]


def test_a_run_that_has_no_network_does_not_lead_to_drawing():
    assert set(links(opened(run=finished_run().id))) == {"gallery", "compare"}


def test_no_two_cards_have_links_or_buttons_of_one_name_that_lead_elsewhere():
    runs = [teach(finished_run()) for _ in range(2)]
    page = opened(run=[run.id for run in runs])
    labels = [link.proto.label for link in page.get("page_link")]
    labels += [button.label for button in page.button if button.key.startswith("details ")]
    assert len(labels) == len(set(labels)) == 8
    assert {label.partition(" *")[0] for label in labels} == {
        *("See what it gets wrong", "Compare", "Draw a digit", "Settings, log and files")
    }
    # Said to those who hear the page: nothing of it is plain text.
    assert all(label.endswith("*") and pair_label("alexnet", "mnist") in label for label in labels)


def test_several_runs_are_watched_at_once_in_the_urls_order_after_those_at_work():
    at_work, *others = runs = [started_run("resnet34"), finished_run("vgg16"), finished_run("alexnet")]
    page = opened(run=[run.id for run in (*others, at_work)])
    assert [chart["run"] for chart in charts(page)] == [run.id for run in runs]
    assert page.multiselect[0].value == runs
    page = page.multiselect[0].set_value(runs[1:]).run()
    assert page.query_params["run"] == [run.id for run in runs[1:]]
    assert [chart["run"] for chart in charts(page)] == [run.id for run in runs[1:]]


def test_without_a_choice_the_unfinished_runs_are_watched_else_the_newest_of_ones_own():
    older, newest = finished_run("vgg16"), finished_run("alexnet")
    older.path.rename(older.path.with_name("vgg16-mnist-quick-20200101-000000-0000"))
    assert [chart["run"] for chart in charts(opened())] == [newest.id]
    newest.shipped_path.touch()
    assert [chart["run"] for chart in charts(opened())] == ["vgg16-mnist-quick-20200101-000000-0000"]
    at_work = started_run("resnet34")
    assert [chart["run"] for chart in charts(opened())] == [at_work.id]


def test_an_unknown_run_and_a_damaged_one_are_a_sentence_each_and_the_rest_is_shown():
    sound, damaged = finished_run("alexnet"), finished_run("vgg16")
    damaged.config_path.write_text("{")
    page = opened(run=[sound.id, damaged.id, "no-such-run"])
    assert [chart["run"] for chart in charts(page)] == [sound.id]
    (error,) = page.error
    assert error.value.startswith(f"{damaged.id}: config.json: line 1 is not JSON; ")
    assert "There is no run called no-such-run" in page.warning[0].value
