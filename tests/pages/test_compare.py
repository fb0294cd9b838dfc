"""The Compare page as its script runs: with no run, with one running, with some finished; and its curves."""

import dataclasses
import functools
import html
import json
import re
import types
from urllib.parse import parse_qs

import numpy as np
import pytest

from core.config.recipes import RECIPES, make_config
from core.datasets.catalogue import DATASETS, DOUBTED
from core.networks.catalogue import NETWORKS
from core.palette import NETWORK_COLOURS
from core.results import table as results
from core.results.curves import settled_range
from core.results.reference import NETWORKS_OF_REPORT, REPORT, TEST_IMAGES
from core.results.statistics import compare_accuracies
from core.runs.run import list_runs
from pages.parts import data, linked, presenter
from pages.parts.charts.curves import PANELS, curves_figure, explanations, looks, short_names
from pages.parts.style import pair_label
from tests.every_page import opened as opened_page
from tests.folders import finished_run, kept_arrays, started_run

opened = functools.partial(opened_page, "compare")
pytestmark = pytest.mark.usefixtures("artifacts")
LABELS = {pair: (NETWORKS[pair[0]]["label"], DATASETS[pair[1]]["label"]) for pair in REPORT}


def table(page):
    (found,) = page.dataframe
    return found.value


def pairs(page):
    """The (network, dataset) of each row of the table, as they are called there."""
    rows = table(page)
    return list(zip(rows["", "Network"], rows["", "Dataset"], strict=True))


def ticked(page):
    """The runs whose rows are ticked."""
    rows = page.session_state[page.dataframe[0].key]["selection"]["rows"]
    return table(page)["", "Run"].iloc[rows].tolist()


def legend(page):
    """The names of the runs that are drawn, as the legend has them."""
    return re.findall(
        r"<span class='curve'><img[^>]+>([^<>]+)</span>", "".join(element.proto.body for element in page.get("html"))
    )


def meanings(page):
    """What the legend says of each kind of line."""
    (text,) = [element.proto.body for element in page.get("html") if "class='meanings'" in element.proto.body]
    return re.findall(r">([^<>]+)</span>", text)


def figures_of(*runs, **options):
    """Panel -> (figure, whether something is left out)."""
    configs, histories = [run.read_config() for run in runs], [run.read_history() for run in runs]
    names = short_names(runs, configs)
    return {panel: curves_figure(panel, names, configs, histories, **options) for panel in PANELS}


def lines(figure, part):
    """The lines that are "training", "validation", or "The report"'s."""
    return [line for line in figure.data if re.search(rf"(^|, ){part}(<br>|'s)", line.hovertemplate)]


@pytest.mark.parametrize("running", [False, True])
def test_until_a_run_is_finished_the_reports_own_table_is_shown_with_a_link_to_train(running):
    if running:
        started_run()
    page = opened()
    assert sorted(pairs(page)) == sorted(LABELS.values())
    assert table(page)["Test", "accuracy"].tolist() == pytest.approx(
        [100 * r["test_accuracy"] for r in REPORT.values()]
    )
    assert [link.proto.page for link in page.get("page_link")] == ["train"]


def test_a_run_at_work_that_a_link_names_is_said_to_have_no_results_yet():
    finished_run()
    run = started_run("vgg16")
    page = opened(run=run.id)
    assert pairs(page) == [LABELS["alexnet", "mnist"]]
    assert run.id in page.info[0].value


def test_every_finished_run_is_a_row_with_the_eight_columns():
    runs = [finished_run(network, dataset) for dataset in DATASETS for network in NETWORKS_OF_REPORT]
    started_run()
    page = opened()
    rows = table(page)
    assert rows["", "Run"].tolist() == [run.id for run in runs]
    best = runs[0].read_metrics()["best"]
    shown = {part: (rows[part, "accuracy"][0], rows[part, "loss"][0]) for part in ("Train", "Validation", "Test")}
    for part, figures in shown.items():
        assert figures == pytest.approx((100 * best[f"{part.lower()}_accuracy"], best[f"{part.lower()}_loss"]))


def test_best_and_last_epoch_and_the_reports_figures_are_switches_that_a_link_can_set():
    run = finished_run()
    metrics = run.read_metrics()
    run.write_metrics(metrics | {"last": metrics["last"] | {"test_accuracy": 0.5, "epoch": 5}})
    page = opened()
    assert table(page)["Epochs", "tested"].tolist() == [3]
    page.button_group(key="url epoch=best").set_value("last").run()
    # The browser has not heard of it when the next switch is clicked.
    del page.query_params["epoch"]
    page.toggle(key="url report").set_value(True).run()
    assert not page.exception
    assert (page.query_params["epoch"], page.query_params["report"]) == ("last", "true")
    rows = table(page)
    assert rows["Epochs", "tested"].tolist() == [5]
    assert rows["Test", "accuracy"].tolist() == [50]
    assert rows["Test", "accuracy, report"].tolist() == pytest.approx([99.22])
    compared = compare_accuracies(0.5, 10_000, 0.9922, TEST_IMAGES)
    difference = rows["Difference from the report"].iloc[0].tolist()
    assert difference == pytest.approx([100 * share for share in compared[:3]])
    assert difference[0] == pytest.approx(50 - 99.22)
    assert rows["", "Verdict"].tolist() == ["▼ Worse"]
    assert table(opened(epoch="Last epoch", report="true")).equals(rows)


def test_what_the_interval_of_a_difference_says_stands_at_the_table():
    finished_run()
    (said,) = [caption.value for caption in opened().caption if "95 % interval" in caption.value]
    assert "10,000 test images" in said


def test_the_time_of_the_epochs_and_the_time_in_all_stand_side_by_side():
    recorded, older = finished_run("vgg16"), finished_run("alexnet")
    metrics = {name: value for name, value in older.read_metrics().items() if name != "total_seconds"}
    older.write_metrics(metrics)
    recorded.write_metrics(metrics | {"total_seconds": 61.4})
    rows = table(opened())["Time"]
    assert rows["Training time"].dt.total_seconds().tolist() == [38, 38]
    assert rows["In all"].isna().tolist() == [True, False]
    assert rows["In all"].dt.total_seconds()[1] == 61


def test_rows_are_filtered_by_network_dataset_and_recipe():
    for network, dataset, recipe in (
        ("alexnet", "mnist", "quick"),
        ("vgg16", "mnist", "modern"),
        ("vgg16", "cifar10", "quick"),
    ):
        finished_run(network, dataset, recipe)
    page = opened()
    for key, value, left in (("network", "vgg16", 2), ("dataset", "mnist", 1), ("recipe", "quick", 0)):
        page.button_group(key=f"url {key}").set_value([value]).run()
        assert not page.exception
        assert (len(table(page)) if page.dataframe else 0) == left
    assert "No run fits" in page.info[0].value


def test_the_runs_in_the_url_are_ticked_and_drawn():
    runs = [finished_run(network, "cifar10") for network in NETWORKS_OF_REPORT]
    page = opened(run=[runs[2].id, runs[0].id])
    assert ticked(page) == [runs[2].id, runs[0].id]
    drawn = [pair_label(network, "cifar10") + ", Quick" for network in ("resnet34", "alexnet")]
    assert legend(page) == drawn
    assert meanings(page) == ["training", "validation"]
    links = re.findall(
        r"href='([^']+)'>([^<>]+)<small>([^<>]+)</small>", "".join(element.proto.body for element in page.get("html"))
    )
    assert links == [
        (f"{where}?run={run.id}{more}", what, f" of {label} on CIFAR-10, Quick")
        for label, run in (("ResNet-34", runs[2]), ("AlexNet", runs[0]))
        for what, where, more in (("Gallery", "gallery", ""), ("Settings and log", "train", "&amp;details=settings"))
    ]


def test_two_recipes_of_one_pair_have_links_with_names_of_their_own():
    runs = [finished_run(recipe=recipe) for recipe in ("quick", "modern")]
    page = opened(run=[run.id for run in runs])
    told = re.findall(r">Gallery<small>([^<>]+)</small>", "".join(element.proto.body for element in page.get("html")))
    assert told == [" of AlexNet on MNIST, Quick", " of AlexNet on MNIST, Modern"]


def test_a_chosen_run_is_drawn_even_where_the_filters_hide_its_row():
    hidden, shown = finished_run("alexnet"), finished_run("vgg16")
    page = opened(run=[hidden.id, shown.id], network="VGG-16")
    assert table(page)["", "Run"].tolist() == ticked(page) == [shown.id]
    assert legend(page) == ["AlexNet on MNIST, Quick", "VGG-16 on MNIST, Quick"]
    assert [caption.value for caption in page.caption if "AlexNet on MNIST, Quick" in caption.value]
    page = opened(run=[hidden.id, shown.id], dataset="cifar10")
    assert not page.dataframe
    assert legend(page) == ["AlexNet on MNIST, Quick", "VGG-16 on MNIST, Quick"]


def test_without_a_choice_each_networks_best_run_on_the_first_dataset_is_drawn():
    finished_run("vgg16", "cifar10")
    finished_run("resnet34", "fashion_mnist")
    finished_run("alexnet", "fashion_mnist")
    page = opened()
    assert ticked(page) == []
    drawn = [pair_label(network, "fashion_mnist") + ", Quick" for network in ("alexnet", "resnet34")]
    assert legend(page) == drawn


@pytest.mark.parametrize("query", ["no-such-run", "../..", "<b>"])
def test_a_link_to_no_run_gets_one_sentence(query):
    finished_run()
    page = opened(run=query)
    assert len(page.warning) == 1
    assert len(table(page)) == 1


def test_damaged_runs_are_one_sentence_each_and_the_rest_is_shown():
    no_config, no_metrics, no_history, sound = (finished_run(network) for network in (*NETWORKS_OF_REPORT, "alexnet"))
    no_config.config_path.write_text("[")
    no_metrics.metrics_path.write_text("[")
    no_history.history_path.write_text("epoch\n1\n")
    page = opened(run=[no_history.id, sound.id])
    said = [warning.value for warning in page.warning]
    assert len(said) == 3
    assert {sentence.split(":")[0] for sentence in said} == {run.id for run in (no_config, no_metrics, no_history)}
    assert len(table(page)) == 2
    assert legend(page) == ["AlexNet on MNIST, Quick"]


@pytest.mark.parametrize("network", NETWORKS_OF_REPORT)
def test_a_network_has_its_colour_and_training_is_solid_and_validation_dashed(network):
    figures = figures_of(finished_run(network))
    for panel, (figure, _) in figures.items():
        (train,), (validation,) = lines(figure, "training"), lines(figure, "validation")
        assert train.line.color == validation.line.color == NETWORK_COLOURS[network]
        assert train.line.dash == "solid" != validation.line.dash
        assert list(train.x) == [1, 2, 3]
        assert ("%" in train.hovertemplate.replace("%{", "")) == (panel == "accuracy")
        assert ("nats" in train.hovertemplate) == (panel == "loss")
    accuracy, loss = (figure for figure, _ in figures.values())
    assert list(lines(accuracy, "training")[0].y) == pytest.approx([70, 85, 90])
    assert [figure.layout.yaxis.title.text for figure in (accuracy, loss)] == ["Accuracy (%)", "Loss (nats)"]
    assert {figure.layout.xaxis.title.text for figure in (accuracy, loss)} == {"Epoch"}


def test_a_networks_runs_differ_in_shade_and_dash_by_recipe_and_only_then_by_marks():
    kinds = ("modern", "quick", "quick", "report")
    configs = [finished_run(recipe=recipe).read_config() for recipe in kinds]
    modern, quick, second, report = looks(configs)
    assert report.colour == NETWORK_COLOURS["alexnet"]
    assert len({look.colour for look in (report, quick, second)}) == 3
    assert len({look.dash for look in (report, quick, second)}) == 3
    # The fourth begins again with the first one's shade, and has a mark.
    assert (modern.colour, modern.dash) == (report.colour, report.dash)
    assert [bool(look.mark) for look in (report, quick, second, modern)] == [False, False, False, True]
    assert looks([make_config("vgg16", "mnist", "modern")])[0].colour == NETWORK_COLOURS["vgg16"]


def named(*runs):
    return short_names(runs, [run.read_config() for run in runs], with_dataset=False)


def test_a_networks_second_run_is_named_by_what_differs_a_setting_or_else_when_it_was_made():
    first, second = finished_run(seed=1), finished_run(seed=2)
    assert named(first, second) == ["AlexNet, Quick, seed 1", "AlexNet, Quick, seed 2"]
    longer = finished_run(epochs=9, seed=2)
    other = finished_run("vgg16", epochs=9, seed=2)
    assert named(second, longer, other) == ["AlexNet, Quick, epochs 4", "AlexNet, Quick, epochs 9", "VGG-16, Quick"]
    # No single setting tells these three from one another.
    assert named(first, second, longer) == [
        "AlexNet, Quick, epochs 4, seed 1",
        "AlexNet, Quick, epochs 4, seed 2",
        "AlexNet, Quick, epochs 9, seed 2",
    ]
    again = finished_run(seed=2)
    assert named(second, again) == [f"AlexNet, Quick ({run.id[-4:]})" for run in (second, again)]
    record = json.loads(again.config_path.read_text("utf-8"))
    again.config_path.write_text(json.dumps(record | {"created": 1_700_000_000}), "utf-8")
    assert named(second, again)[1] == "AlexNet, Quick (14 Nov)"


def test_the_reports_last_validation_figures_are_dotted_and_drawn_once_a_pair():
    runs = finished_run("vgg16", "mnist", "quick"), finished_run("vgg16", "mnist", "modern"), finished_run("resnet34")
    assert lines(figures_of(*runs)["accuracy"][0], "The report") == []
    vgg, resnet = lines(figures_of(*runs, report=True)["accuracy"][0], "The report")
    assert (vgg.line.color, vgg.line.dash) == (NETWORK_COLOURS["vgg16"], "dot")
    assert list(vgg.y) == pytest.approx([99.45, 99.45])
    assert resnet.line.color == NETWORK_COLOURS["resnet34"]


def test_a_run_of_one_epoch_is_a_visible_point():
    run = finished_run()
    run.history_path.write_text("\n".join(run.history_path.read_text().splitlines()[:2]) + "\n")
    assert {line.mode for line in figures_of(run)["loss"][0].data} == {"lines+markers"}


def test_a_first_epoch_that_would_flatten_the_rest_is_left_out_and_a_log_axis_shows_it():
    calm, wild = [0.5, 0.45, 0.4, 0.38, 0.36], [5.0, 0.5, 0.44, 0.42, 0.4]
    assert settled_range([calm]) is None
    low, high = settled_range([calm, wild])
    assert low < 0.36
    assert 0.5 < high < 0.6
    # Of three epochs, each is a third of all.
    assert settled_range([wild[:3]]) is None
    assert settled_range([[0.4] * 5]) is None
    # A tenth of a long run may be rough.
    assert settled_range([[9.0] * 5 + [1.0, 0.8] * 23])[1] < 1.1
    run = finished_run()
    row = run.read_history().iloc[-1].to_dict()
    for epoch in range(4, 9):
        run.append_history(row | {"epoch": epoch, "validation_loss": 0.3 - epoch / 100})
    assert [left_out for _, left_out in figures_of(run).values()] == [True, True]
    figures = figures_of(run, scale="log")
    assert [left_out for _, left_out in figures.values()] == [False, False]
    accuracy = figures["accuracy"][0]
    assert (accuracy.layout.yaxis.type, accuracy.layout.yaxis.title.text) == ("log", "Errors (%)")
    assert list(lines(accuracy, "training")[0].y)[:3] == pytest.approx([30, 15, 10])


def test_the_scale_is_in_the_address():
    finished_run()
    page = opened(scale="log")
    figure = json.loads(page.get("plotly_chart")[0].proto.spec)
    assert figure["layout"]["yaxis"]["type"] == "log"
    page.button_group(key="url scale=linear").set_value("linear").run()
    assert "scale" not in page.query_params


def test_what_surprises_in_a_loss_is_said_at_the_charts():
    plain, smoothed = finished_run(), finished_run(recipe="modern")
    said = {
        run: [caption.value for caption in opened(run=run.id).caption if "Label smoothing" in caption.value]
        for run in (plain, smoothed)
    }
    assert said[plain] == []
    # The entropy of 0.91 and nine times 0.01.
    assert "below 0.50;" in said[smoothed][0]
    losses = smoothed.read_history()
    assert len(explanations([smoothed.read_config()], [losses], [10])) == 1
    assert len(explanations([smoothed.read_config()], [losses.assign(validation_loss=[5.0, 0.4, 0.3])], [10])) == 2


def test_only_networks_with_runs_are_offered_and_many_are_a_list(monkeypatch):
    for network in NETWORKS_OF_REPORT[1:]:
        finished_run(network)
    page = opened()
    assert page.button_group(key="url network").options == ["VGG-16", "ResNet-34"]
    monkeypatch.setattr(linked, "MOST_BUTTONS", 1)
    page = opened(network=["vgg16", "alexnet"])
    many = page.multiselect(key="url network")
    assert (many.options, many.value) == (["AlexNet", "VGG-16", "ResNet-34"], ["vgg16", "alexnet"])
    many.set_value(["resnet34"]).run()
    assert pairs(page) == [LABELS["resnet34", "mnist"]]
    assert page.query_params["network"] == "resnet34"


@pytest.mark.parametrize("recipe", RECIPES)
def test_runs_are_named_by_network_dataset_and_recipe(recipe):
    finished_run("resnet34", "fashion_mnist", recipe)
    (run,) = list_runs()
    label = RECIPES[recipe]["label"]
    assert short_names([run], [run.read_config()]) == [f"ResNet-34 on Fashion-MNIST, {label}"]


def test_a_new_column_of_the_registry_is_drawn_without_any_change_of_the_page(monkeypatch):
    column = results.Column("Test", "gap", "points", lambda facts: 0.0123)
    monkeypatch.setitem(results.COLUMNS, "gap", column)
    finished_run()
    assert table(opened())["Test", "gap"].tolist() == pytest.approx([1.23])


def test_changed_settings_are_a_column_where_a_run_has_any():
    finished_run()
    assert ("", "Changed settings") not in table(opened()).columns
    finished_run(epochs=2, flip=True)
    assert sorted(table(opened())["", "Changed settings"]) == ["", "epochs 2, horizontal flips on"]


def test_test_accuracy_and_verdict_are_among_the_first_columns():
    finished_run()
    assert list(table(opened()).columns)[:4] == [
        ("", "Network"),
        ("", "Dataset"),
        ("Test", "accuracy"),
        ("", "Verdict"),
    ]


def test_what_a_run_was_trained_on_is_a_column():
    run = finished_run()
    run.describe(sessions=[{"started": 1.0, "first_epoch": 1, "first_step": 0, "gpus": ["NVIDIA H100"]}])
    assert table(opened())["", "Trained on"].tolist() == ["NVIDIA H100"]


@pytest.mark.parametrize(("name", "value"), [("epoch", "first"), ("network", "<b>"), ("report", "2"), ("scale", "")])
def test_a_choice_in_the_link_that_there_is_not_is_one_sentence_and_ignored(name, value):
    finished_run()
    page = opened(**{name: value})
    assert [warning.value.endswith("is none of the choices, so it is ignored.") for warning in page.warning] == [True]
    assert len(table(page)) == 1


def test_as_published_the_test_figures_are_the_best_epochs_and_the_others_the_last_ones():
    run = finished_run()
    metrics = run.read_metrics()
    best = metrics["best"] | {"train_accuracy": 0.8, "test_accuracy": 0.7, "test_loss": 0.9, "epoch": 2}
    run.write_metrics(metrics | {"best": best, "last": metrics["last"] | {"train_accuracy": 0.9, "test_accuracy": 0.6}})
    page = opened(epoch="published")
    (row,) = table(page).to_dict("records")
    assert (row["Train", "accuracy"], row["Test", "accuracy"], row["Test", "loss"]) == (90, 70, 0.9)
    assert row["Epochs", "tested"] == 2
    (said,) = [caption.value for caption in page.caption if "As published" in caption.value]
    assert "less the last one's is +10.00 points" in said
    assert "+10.00 and +0.00 points" in said


def wrong_on(run, images):
    """Makes a finished run right on all test images but these."""
    labels = run.read_predictions()["labels"]
    logits = np.zeros((len(labels), 10), "float32")
    logits[np.arange(len(labels)), labels] = 3
    logits[images, labels[images]] = -3
    arrays = kept_arrays(run)
    run.write_predictions(**arrays | {"logits": logits})
    return run


def test_two_runs_are_compared_image_by_image_and_a_click_shows_the_images():
    first, second = wrong_on(finished_run(), [1, 2, 3, 4, 5, 6, 7]), wrong_on(finished_run("vgg16"), [7, 8])
    page = opened(run=[first.id, second.id], look="images")
    assert not page.exception
    said = " ".join(text.value for text in page.markdown)
    assert "**AlexNet, Quick** alone is right on 1, **VGG-16, Quick** alone on 6; both on 192, neither on 1" in said
    assert "p = 0.12, no clear difference" in said
    sets = "".join(element.proto.body for element in page.get("html") if "class='who'" in element.proto.body)
    links = {parse_qs(html.unescape(link))["who"][0] for link in re.findall(r"href='\?([^']+)'", sets)}
    assert links == {"12", "1", "2", "0"}
    page = opened(run=[first.id, second.id], look="images", who="1")
    tiles = "".join(element.proto.body for element in page.get("html") if "class='pairwise'" in element.proto.body)
    assert re.findall(r"alt='Test image (\d+),", tiles) == ["1", "2", "3", "4", "5", "6"]
    assert any("only AlexNet, Quick gets wrong" in heading.value for heading in page.subheader)
    assert "is not one of these" in opened(run=[first.id, second.id], look="images", who="9").warning[0].value


def test_of_three_runs_the_overlap_of_their_errors_is_shown_and_doubted_labels_are_marked():
    doubted = DOUBTED["mnist"][0]
    runs = [
        wrong_on(finished_run(name, examples=1000), [7, doubted, 9 + at]) for at, name in enumerate(NETWORKS_OF_REPORT)
    ]
    other = finished_run("lenet5", "cifar10")
    page = opened(run=[run.id for run in (*runs, other)], look="images")
    assert not page.exception
    tiles = "".join(element.proto.body for element in page.get("html") if "class='pairwise'" in element.proto.body)
    assert re.findall(r"alt='Test image (\d+),", tiles) == [str(doubted), "7"]
    assert tiles.count("label doubted") == 1
    pairs = page.dataframe[1].value
    assert pairs["Alone right"].tolist() == pairs["Other alone right"].tolist() == [1, 1, 1]
    assert any(caption.value.startswith("Left out of the ticked runs: 1,") for caption in page.caption)


def test_calibration_and_settings_that_differ_are_shown_of_the_ticked_runs():
    runs = [finished_run("lenet5"), finished_run("lenet5", epochs=7, label_smoothing=0.1)]
    page = opened(run=[run.id for run in runs], look="calibration")
    assert not page.exception
    expected = data.calibration(runs[0])
    assert page.dataframe[1].value["Calibration error"][0] == pytest.approx(100 * expected.error)
    # They are right in 90 % of cases, and 82 % sure.
    assert expected.error == pytest.approx(0.9 - 0.82, abs=0.04)
    page = opened(run=[run.id for run in runs], look="settings")
    assert page.dataframe[1].value["Setting"].tolist() == ["Epochs", "Label smoothing"]
    assert "Tick two rows" in opened(run=runs[0].id, look="settings").info[0].value
    assert "Tick two rows" in opened(run=runs[0].id, look="images").info[0].value


def three_seeds(**options):
    """Runs that differ in nothing but the seed, the oldest first, with other figures each."""
    runs = [finished_run("lenet5", seed=seed, **options) for seed in range(3)]
    for run, accuracy in zip(runs, (0.98, 0.985, 0.99), strict=True):
        metrics = run.read_metrics()
        run.write_metrics(metrics | {which: metrics[which] | {"test_accuracy": accuracy} for which in ("best", "last")})
    return runs


def test_runs_that_differ_in_nothing_but_the_seed_are_one_row_and_one_line_with_a_band():
    runs, other = three_seeds(), finished_run("lenet5", epochs=7)
    (runs[0].path / "shipped").touch()
    page = opened(run=[run.id for run in runs])
    assert not page.exception
    rows = table(page)
    assert sorted(rows["Seeds", "runs"]) == [1, 3]
    position = rows["Seeds", "runs"].tolist().index(3)
    row = rows.iloc[position]
    assert row["Test", "accuracy"] == pytest.approx(98.5)
    assert row["Seeds", "95 % from"] < 98 < 99 < row["Seeds", "95 % to"]
    # Of their own 10,000 images the accuracy is known better than of other seeds, here.
    assert row["Seeds", "95 % from"] < row["Test", "95 % from"] < 98.5 < row["Test", "to"] < row["Seeds", "95 % to"]
    assert set(row["", "Run"].split()) == {run.id for run in runs}
    assert legend(page) == ["LeNet-5 on MNIST, Quick, 3 seeds"]
    assert any("from the lowest to the highest" in caption.value for caption in page.caption)
    # They are ticked together, and a click opens the single ones.
    assert page.session_state[page.dataframe[0].key]["selection"]["rows"] == [position]
    (link,) = re.findall(r"href='([^']+)'>Single runs", "".join(element.proto.body for element in page.get("html")))
    asked = parse_qs(html.unescape(link).partition("?")[2])
    assert asked == {"seeds": ["apart"], "run": [run.id for run in runs]}
    page = opened(**asked)
    assert set(table(page)["", "Run"]) == {run.id for run in (*runs, other)}
    assert len(legend(page)) == 3
    assert "Seeds" not in dict(list(table(page).columns))


def test_where_each_run_has_settings_of_its_own_nothing_is_said_of_seeds():
    finished_run("lenet5"), finished_run("lenet5", epochs=7), finished_run("lenet5", "cifar10", seed=1)
    page = opened()
    assert len(table(page)) == 3
    assert "Seeds" not in {group for group, _ in table(page).columns}
    assert "url seeds=together" not in {group.key for group in page.get("button_group")}


def test_a_click_trains_the_next_seeds_of_what_is_ticked_alone(monkeypatch):
    run = finished_run("lenet5", seed=1, epochs=7)
    other = finished_run("lenet5", seed=0)
    page = opened(run=run.id)
    (button,) = [button for button in page.button if "more seeds" in button.label]
    assert button.label == "Train 3 more seeds of LeNet-5 on MNIST, Quick"
    there = set(list_runs())
    button.click().run()
    started = {run.read_config() for run in set(list_runs()) - there}
    assert started == {dataclasses.replace(run.read_config(), seed=seed) for seed in (0, 2, 3)}
    page = opened(run=[run.id, other.id])
    assert not [button for button in page.button if "more seeds" in button.label]
    monkeypatch.setenv("LAB_READ_ONLY", "1")
    assert not [button for button in opened(run=run.id).button if "more seeds" in button.label]


def test_a_ticked_run_can_stand_in_for_the_report_in_the_address():
    base, other = wrong_on(finished_run(), [1, 2, 3, 4, 5, 6, 7, 8]), wrong_on(finished_run("vgg16"), [8])
    elsewhere = finished_run("vgg16", "cifar10")
    page = opened(run=base.id)
    choice = page.selectbox(key="url baseline=report")
    assert choice.options == ["The report", data.name(base)]
    choice.set_value(base.id).run()
    assert not page.exception
    assert page.query_params["baseline"] in (base.id, [base.id])
    page = opened(baseline=base.id)
    rows = table(page).set_index([("", "Run")])
    group = "Difference from AlexNet on MNIST, Quick"
    assert rows.loc[other.id, (group, "points")] == pytest.approx(100 * 7 / 200)
    assert rows.loc[other.id, ("", "Verdict")] == "▲ Better"
    assert rows.loc[[base.id, elsewhere.id], ("", "Verdict")].tolist() == ["", ""]
    assert any("McNemar" in caption.value for caption in page.caption)
    assert "“Differences from” in the link" in opened(baseline="nobody").warning[0].value


def test_each_bin_of_the_calibration_has_its_interval_and_its_size():
    run = finished_run("lenet5")
    page = opened(run=run.id, look="calibration")
    (chart,) = [json.loads(each.proto.spec) for each in page.get("plotly_chart") if "Confidence" in each.proto.spec]
    found, (_, line, sizes) = data.calibration(run), chart["data"]
    (only,) = np.flatnonzero(found.counts)
    assert line["error_y"]["array"] == pytest.approx([100 * (found.high[only] - found.accuracy[only])])
    assert line["error_y"]["arrayminus"] == pytest.approx([100 * (found.accuracy[only] - found.low[only])])
    assert [count for count in sizes["y"] if count] == [200]
    assert sizes["yaxis"] == "y2"


def test_on_a_phone_the_dataset_is_not_pinned_so_that_the_verdict_can_be_seen(monkeypatch):
    finished_run()

    def pinned():
        (columns,) = [json.loads(frame.proto.columns) for frame in opened().dataframe[:1]]
        return sum(bool(column.get("pinned")) for column in columns.values())

    assert pinned() == 2
    monkeypatch.setattr(presenter, "on_phone", lambda: True)
    assert pinned() == 1


@pytest.mark.parametrize(
    ("browser", "is_phone"),
    [
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", True),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36", False),
        (None, False),
    ],
)
def test_a_phone_is_known_by_what_its_browser_says(monkeypatch, browser, is_phone):
    said = types.SimpleNamespace(headers={"User-Agent": browser} if browser else {})
    monkeypatch.setattr(presenter.st, "context", said)
    assert presenter.on_phone() == is_phone


def test_rows_that_would_look_alike_say_what_differs_beside_the_network(monkeypatch):
    for options in ({"epochs": 9}, {"epochs": 5}, {"recipe": "modern"}, {"dataset": "cifar10"}):
        finished_run("resnet34", **options)
    finished_run("vgg16")
    networks = table(opened())["", "Network"].tolist()
    assert sorted(networks) == ["ResNet-34", "ResNet-34", "ResNet-34, epochs 5", "ResNet-34, epochs 9", "VGG-16"]
    # A phone has no room for it.
    monkeypatch.setattr(presenter, "on_phone", lambda: True)
    assert set(table(opened())["", "Network"]) == {"ResNet-34", "VGG-16"}
