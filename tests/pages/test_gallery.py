"""The Gallery page as its script runs: with no run, with one running, with some finished."""

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df as bytes_to_df
from streamlit.testing.v1 import AppTest

from core.datasets.catalogue import DATASETS
from core.datasets.loading import DatasetUnavailable, load
from core.explain import image_history
from core.results import scores
from core.results.reference import NETWORKS_OF_REPORT
from core.results.statistics import wilson_interval
from core.runs.run import Run
from pages.parts import data
from pages.parts.image_grid import png_address
from tests.folders import finished_run, kept_arrays, learned, record_epochs, started_run

APP = str(Path(__file__).parents[2] / "app.py")


def opened(**query):
    page = AppTest.from_file(APP, default_timeout=60)
    page.switch_page("pages/gallery.py")
    for name, value in query.items():
        page.query_params[name] = value
    return ran(page)


def ran(page):
    page.run()
    assert not page.exception
    return page


def shown(page):
    """The numbers of the test images in the grid."""
    grids = [element.proto.body for element in page.get("html") if 'class="cases"' in element.proto.body]
    return [int(number) for number in re.findall(r'alt="Test image (\d+):', "".join(grids))]


def counted(page):
    """Which of how many images are shown."""
    (said,) = [caption.value for caption in page.caption if " of " in caption.value and "**" in caption.value]
    return said


def told(page, name):
    """What the component of this name is told; None where it is not drawn."""
    found = [part.proto for part in page.get("bidi_component") if part.proto.component_name == name]
    return json.loads(found[0].json) if found else None


def followed(page):
    """What the part that opens a tile is told: the open image, what others take it for, and the chosen cell."""
    return told(page, "open_image")


def links(page):
    return [(link.proto.page, link.proto.query_string) for link in page.get("page_link")]


def expected(run, **filters):
    predictions = run.read_predictions()
    return scores.cases(predictions["logits"], predictions["labels"], **filters).tolist()


def test_with_no_run_it_leads_to_training(artifacts):
    page = opened()
    assert "Nothing to browse yet" in page.info[0].value
    assert links(page) == [("train", "")]
    assert len(page.selectbox) == 0


@pytest.mark.parametrize("named", [True, False])
def test_a_run_that_is_training_has_no_gallery_yet_and_leads_to_its_curves(artifacts, named):
    run = started_run("vgg16", "mnist")
    page = opened(**({"run": run.id} if named else {}))
    assert re.fullmatch(r"VGG-16 on MNIST, Quick · .* is running: its gallery opens .*", page.info[0].value)
    assert links(page) == [("train", f"run={run.id}")]
    assert shown(page) == []


def test_a_run_that_ended_without_a_test_says_so(artifacts):
    run = started_run()
    run.write_status(state="stopped")
    assert opened(run=run.id).info[0].value.endswith(" has not been tested (stopped), so it has no gallery.")


def test_a_link_to_an_untested_run_still_offers_the_others(artifacts):
    tested, running = finished_run(), started_run()
    page = opened(run=running.id)
    assert page.selectbox(key="gallery run").value is None
    page.selectbox(key="gallery run").select(tested.id).run()
    assert page.query_params["run"] == tested.id
    assert page.metric[0].label == "Test accuracy"


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("network", NETWORKS_OF_REPORT)
def test_a_finished_run_opens_on_its_fails_the_surest_first(artifacts, network, dataset):
    run = finished_run(network, dataset)
    page = opened()
    assert shown(page) == expected(run, correct=False)
    wrong = len(expected(run, correct=False))
    assert [metric.value for metric in page.metric] == [f"{100 - wrong / 2:.2f} %", str(wrong), "3 of 3"]
    assert f"**1–{wrong} of {wrong}**" in counted(page)
    assert page.selectbox(key="url true=any").options == ["Any class", *DATASETS[dataset]["classes"]]


def test_the_run_in_the_url_is_the_one_that_is_shown(artifacts):
    older = finished_run("resnet34", "cifar10", wrong=0.5)
    finished_run("alexnet", "mnist")
    page = opened(run=older.id)
    assert page.selectbox(key="gallery run").value == older.id
    assert shown(page) == expected(older, correct=False)


def test_what_was_trained_here_comes_first_and_then_what_came_with_the_project_as_the_overview_has_it(artifacts):
    ours, included = finished_run("vgg16", "cifar10"), [finished_run("lenet5"), finished_run("alexnet")]
    for run in [*included, finished_run("resnet34", recipe="modern")]:
        run.shipped_path.touch()
    finished_run("resnet34", "mnist")
    names = [name.split(",")[0] for name in opened().selectbox(key="gallery run").options]
    # Those of one second stand in any order.
    assert sorted(names[:2]) == ["ResNet-34 on MNIST", "VGG-16 on CIFAR-10"]
    # The evidence for claims, on part of the training images, comes last.
    assert names[2:] == ["ResNet-34 on MNIST", "AlexNet on MNIST", "LeNet-5 on MNIST"]
    assert opened(network="vgg16").selectbox(key="gallery run").value == ours.id


def test_the_url_holds_the_filters(artifacts):
    run = finished_run(wrong=0.5)
    page = opened(show="errors", true="4", predicted="5", sort="worst")
    assert shown(page) == expected(run, correct=False, true_class=4, predicted_class=5, sort_by="loss")
    assert len(shown(page)) > 0
    assert page.selectbox(key="url true=any").value == "4"


def test_choosing_filters_changes_the_pictures_and_the_link(artifacts):
    run = finished_run()
    page = opened()
    page.button_group(key="url show=errors").set_value("success")
    ran(page)
    page.selectbox(key="url true=any").select("7")
    ran(page)
    page.selectbox(key="url sort=surest").select("best")
    ran(page)
    filters = {"correct": True, "true_class": 7, "sort_by": "loss", "descending": False}
    assert shown(page) == expected(run, **filters)
    link = dict(page.query_params)
    assert link == {"show": "success", "true": "7", "sort": "best"}
    assert shown(opened(**link)) == shown(page)


def test_a_default_needs_no_place_in_the_link(artifacts):
    finished_run()
    page = opened(true="7")
    page.selectbox(key="url true=any").select("any")
    assert "true" not in ran(page).query_params


def test_many_cases_come_in_pages(artifacts):
    run = finished_run(examples=250)
    assert shown(opened(show="all")) == expected(run)[:100]
    page = opened(show="all", page="3")
    assert shown(page) == expected(run)[200:]
    assert "**201–250 of 250**" in counted(page)


def test_changing_a_filter_goes_back_to_the_first_page(artifacts):
    run = finished_run(examples=250)
    page = opened(show="all", page="3")
    page.selectbox(key="url sort=surest").select("unsurest")
    assert shown(ran(page)) == expected(run, descending=False)[:100]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("show", "everything"),
        ("true", "10"),
        ("true", "-1"),
        ("predicted", "<b>4</b>"),
        ("sort", ""),
        ("image", "200"),
        ("image", "-1"),
        ("image", "<b>"),
        ("page", "99"),
        ("page", "two"),
        ("epoch", "4"),
        ("epoch", "first"),
        ("story", "forgetful"),
        ("hidden", "yes"),
    ],
)
def test_a_value_in_the_link_that_makes_no_sense_is_one_sentence_and_ignored(artifacts, name, value):
    run = finished_run()
    page = opened(**{name: value})
    assert len(page.warning) == 1
    assert "is ignored" in page.warning[0].value
    assert "<b>" not in page.warning[0].value
    assert shown(page) == expected(run, correct=False)


def test_a_link_to_a_run_that_does_not_exist_shows_another(artifacts):
    run = finished_run()
    page = opened(run="alexnet-mnist-quick-20200101-000000-0000")
    assert "There is no run called" in page.warning[0].value
    assert shown(page) == expected(run, correct=False)


def test_filters_that_nothing_fits_say_so(artifacts):
    finished_run(wrong=0)
    page = opened()
    assert page.info[0].value == "No test image fits these filters."
    assert shown(page) == []


@pytest.mark.parametrize("path", [Run.predictions_path, Run.metrics_path])
def test_damaged_files_are_one_sentence(artifacts, path):
    run = finished_run()
    path.fget(run).write_bytes(b"{")
    page = opened()
    (error,) = page.error
    assert error.value.startswith(f"{run.id}: {path.fget(run).name}: ")
    assert error.value.count(".") == 2


def test_without_the_images_there_is_a_sentence_and_the_matrix_stays(artifacts, monkeypatch):
    def unreachable(name):
        raise DatasetUnavailable("MNIST is not here.")

    monkeypatch.setattr(data.sheets, "load_test_images", unreachable)
    data.test_images.clear()
    finished_run()
    page = opened()
    assert [error.value for error in page.error] == ["MNIST is not here."]
    assert len(page.get("vega_lite_chart")) == 2


@pytest.mark.parametrize("dataset", DATASETS)
def test_pictures_keep_every_pixel(dataset):
    image = load(dataset).test_images[0]
    head, _, encoded = png_address(image).partition(",")
    assert head == "data:image/png;base64"
    assert (np.array(Image.open(io.BytesIO(base64.b64decode(encoded)))) == image.squeeze()).all()


def test_class_names_are_text_and_never_markup():
    def script():
        import numpy as np

        from pages.parts.image_grid import draw_cases

        shares = np.array([[0.2, 0.8]])
        predictions = {"logits": np.log(shares), "probabilities": shares, "labels": np.array([0])}
        draw_cases(np.zeros((1, 4, 4, 1), "uint8"), predictions, np.array([0]), ["<script>", '"onload='], "red")

    (grid,) = AppTest.from_function(script).run().get("html")
    assert "<script>" not in grid.proto.body
    assert '"onload' not in grid.proto.body
    assert "&lt;script&gt; → &quot;onload=" in grid.proto.body


def test_a_link_opens_one_image_on_its_page(artifacts):
    run = finished_run(examples=250)
    page = opened(show="all", image="222")
    assert followed(page)["image"] == "222"
    assert 222 in shown(page)
    assert shown(page) == expected(run)[200:]


def test_an_image_that_the_choices_leave_out_stands_before_the_others(artifacts):
    run = finished_run()
    right = expected(run, correct=True)[0]
    page = opened(image=str(right))
    assert shown(page) == [right, *expected(run, correct=False)]
    assert followed(page)["image"] == str(right)


def test_an_open_image_is_shown_as_every_run_on_its_dataset_sees_it(artifacts):
    run, same, _, other = finished_run(), finished_run("vgg16"), finished_run("vgg16", "cifar10"), finished_run(wrong=0)
    started_run("resnet34")
    image = expected(run, correct=False)[0]
    others = followed(opened(run=run.id, image=str(image)))["others"]
    found = dict(re.findall(r'data-run="([^"]+)".*?(?:✓|×) (\d)', others))
    assert found == {other.id: str(image % 10)} | dict.fromkeys((run.id, same.id), str((image + 1) % 10))
    assert "Recognised by 1 of 3 runs" in others
    assert followed(opened(run=run.id)) == {"image": "", "others": "", "cell": "None None"}


def test_another_run_keeps_the_open_image(artifacts):
    older, newer = finished_run(), finished_run("vgg16")
    page = opened(run=newer.id, image="7")
    page.selectbox(key="gallery run").select(older.id)
    ran(page)
    assert (page.query_params["run"], page.query_params["image"]) == (older.id, "7")
    assert newer.id in followed(page)["others"]


def test_many_images_have_a_pager_above_and_below(artifacts):
    finished_run(examples=250)
    assert len(opened(show="all").get("pagination")) == 2


@pytest.fixture
def kinds(artifacts):
    """Runs of two networks on two datasets, a day apart, oldest first: (network, dataset) -> Run."""
    pairs = (("alexnet", "mnist"), ("vgg16", "mnist"), ("alexnet", "cifar10"), ("vgg16", "cifar10"))
    folders = [finished_run(*pair).path for pair in pairs]
    for day, folder in enumerate(folders, start=1):
        folders[day - 1] = folder.rename(re.sub(r"\d{8}-\d{6}", f"2026010{day}-120000", str(folder)))
    return {pair: Run(folder) for pair, folder in zip(pairs, folders, strict=True)}


def choose(page, column, *names):
    page.button_group(key=f"url {column}").set_value(list(names))
    return ran(page)


def chosen(page):
    return page.selectbox(key="gallery run").value


def test_a_choice_of_network_and_dataset_lists_and_shows_what_fits_and_is_in_the_link(kinds):
    page = opened()
    page = choose(page, "network", "alexnet")
    assert len(page.selectbox(key="gallery run").options) == 2
    assert chosen(page) == kinds["alexnet", "cifar10"].id
    page = choose(page, "dataset", "mnist")
    assert chosen(page) == kinds["alexnet", "mnist"].id
    link = dict(page.query_params)
    assert link == {"network": "alexnet", "dataset": "mnist"}
    assert chosen(opened(**link)) == chosen(page)


def test_a_network_that_is_added_is_shown_and_one_that_is_taken_back_is_not(kinds):
    page = choose(opened(), "network", "vgg16")
    page = choose(page, "network", "vgg16", "alexnet")
    assert chosen(page) == kinds["alexnet", "cifar10"].id
    page = choose(page, "network", "vgg16")
    assert chosen(page) == kinds["vgg16", "cifar10"].id
    assert "run" not in page.query_params


def test_a_run_that_fits_a_new_choice_stays_and_one_that_does_not_goes_from_the_link(kinds):
    run = kinds["alexnet", "mnist"]
    page = choose(opened(run=run.id), "dataset", "mnist")
    assert (chosen(page), page.query_params["run"]) == (run.id, run.id)
    page = choose(page, "network", "vgg16")
    assert chosen(page) == kinds["vgg16", "mnist"].id
    assert "run" not in page.query_params


def test_a_run_that_a_link_names_is_shown_whatever_else_it_says(kinds):
    page = opened(run=kinds["alexnet", "mnist"].id, network="vgg16")
    assert chosen(page) == kinds["alexnet", "mnist"].id
    assert len(page.selectbox(key="gallery run").options) == 3


def test_an_open_image_stays_open_while_the_dataset_is_the_same(kinds):
    page = opened(run=kinds["alexnet", "mnist"].id, image="7")
    page = choose(page, "network", "vgg16")
    # The newest of that network is of other images.
    assert "image" not in page.query_params
    page = choose(opened(dataset="mnist", image="7"), "network", "alexnet")
    assert page.query_params["image"] == "7"


def test_choices_that_no_run_fits_say_so(artifacts):
    finished_run("alexnet", "mnist")
    finished_run("vgg16", "cifar10")
    page = choose(opened(), "network", "alexnet")
    page = choose(page, "dataset", "cifar10")
    assert page.info[0].value == "No tested run fits these choices. Remove one of them."
    page = choose(page, "dataset")
    assert page.metric[0].label == "Test accuracy"


@pytest.fixture
def learner(artifacts):
    """A finished run whose three epochs differ: 45, 40 and 35 % of their predictions are wrong."""
    return learned(finished_run())


def wrong_after(run, epoch):
    arrays = run.read_epoch_predictions() or run.read_predictions()
    return np.flatnonzero(arrays["epoch_classes"][epoch - 1] != arrays["labels"]).tolist()


def tile_notes(page):
    (grid,) = [element.proto.body for element in page.get("html") if 'class="cases"' in element.proto.body]
    return re.findall(r'<small class="note">(.*?)</small>', grid)


def test_the_epoch_in_the_link_is_the_one_that_matrix_figures_and_images_are_of(learner):
    wrong = wrong_after(learner, 1)
    page = opened(epoch="1")
    assert set(shown(page)) == set(wrong) != set(shown(opened()))
    assert [metric.value for metric in page.metric] == [f"{100 - len(wrong) / 2:.2f} %", str(len(wrong)), "1 of 3"]
    slider = told(page, "epochs")
    assert (slider["epoch"], slider["usual"], slider["total"]) == (1, 3, 3)
    assert slider["right"] == [200 - len(wrong_after(learner, epoch)) for epoch in (1, 2, 3)]
    assert slider["shown"]["numbers"] == shown(page)
    classes = np.frombuffer(base64.b64decode(slider["shown"]["classes"]), np.uint8).reshape(3, -1)
    assert (classes == learner.read_predictions()["epoch_classes"][:, shown(page)]).all()
    matrices = np.frombuffer(base64.b64decode(slider["matrices"]), "<u2").reshape(3, 10, 10)
    assert matrices.trace(axis1=1, axis2=2).tolist() == slider["right"]
    assert told(opened(epoch="3"), "epochs") == told(opened(), "epochs")


@pytest.mark.parametrize("sort", ["surest", "unsurest", "worst", "best"])
def test_an_epoch_is_sorted_by_what_was_recorded_of_it(learner, sort):
    numbers = shown(opened(epoch="1", show="all", sort=sort))
    arrays = learner.read_predictions()
    classes, confidences = arrays["epoch_classes"][0], arrays["epoch_confidences"][0]
    if sort in ("surest", "unsurest"):
        confidences = confidences[numbers].astype(int)
        assert (np.diff(confidences) * (-1 if sort == "surest" else 1) >= 0).all()
    else:
        right = (classes == arrays["labels"])[numbers]
        # However sure it was of what is right, that cost less than any mistake here.
        assert right.tolist() == sorted(right, reverse=sort == "best")


@pytest.mark.parametrize("story", ["never", "forgotten", "late"])
def test_a_story_in_the_link_shows_all_images_that_have_it(learner, story):
    arrays = learner.read_predictions()
    found = image_history.stories(arrays["epoch_classes"], arrays["labels"])
    choose = {
        "never": image_history.never_learned,
        "forgotten": image_history.were_forgotten,
        "late": image_history.learned_late,
    }[story]
    expected_images = np.flatnonzero(choose(found, 3)).tolist()
    page = opened(story=story)
    assert sorted(shown(page)) == expected_images
    assert len(expected_images) > 0
    assert tile_notes(page) == [image_history.in_words(found, image, 3) for image in shown(page)]
    if story == "late":
        assert set(tile_notes(page)) <= {"right from epoch 3 on", "forgotten once, right from epoch 3 on"}


def test_the_most_forgotten_come_first_and_an_open_image_has_its_story(learner):
    page = opened(show="all", sort="forgotten")
    notes = tile_notes(page)
    assert notes[0].startswith("forgotten once")
    assert [note.startswith("forgotten") for note in notes] == sorted(
        (note.startswith("forgotten") for note in notes), reverse=True
    )
    aside = followed(opened(show="all", image=str(shown(page)[0])))["others"]
    assert aside.startswith(f"<p>F{notes[0][1:]}</p>")
    assert aside.count("<i class=") == 3
    assert "Recognised by" in aside
    assert tile_notes(opened(show="all")) == []


def test_a_run_that_recorded_no_epochs_says_so_in_one_sentence(artifacts):
    run = finished_run()
    arrays = kept_arrays(run)
    run.write_predictions(logits=arrays["logits"], labels=arrays["labels"])
    page = opened(story="never")
    (said,) = [caption.value for caption in page.caption if "each epoch" in caption.value]
    assert said.startswith("This run did not record its predictions after each epoch")
    assert told(page, "epochs") is None
    assert [warning.value for warning in page.warning] == [
        "“Learned” in the link is none of the choices, so it is ignored."
    ]
    assert page.metric[2].value == "3 of 3"


def test_hidden_answers_are_nowhere_on_the_page_until_they_are_revealed(learner):
    image = shown(opened(show="all"))[0]
    page = opened(show="all", sort="forgotten", hidden="true", image=str(image), page="1")
    (grid,) = [element.proto.body for element in page.get("html") if 'class="cases"' in element.proto.body]
    assert grid.count("<p>?</p>") == 100
    assert not re.search("recognised|taken for|→|✓|×|forgotten|%<", grid)
    assert followed(page)["others"] == ""
    assert told(page, "epochs") is None
    assert [metric.value for metric in page.metric] == ["?", "?", "3 of 3"]
    assert len(page.get("vega_lite_chart")) == 0
    (button,) = [button for button in page.button if button.label == "Reveal"]
    button.click()
    page = ran(page)
    assert "hidden" not in page.query_params
    assert page.query_params["image"] == str(image)
    assert len(page.get("vega_lite_chart")) == 2
    assert followed(page)["others"]


def test_a_run_that_trains_is_shown_after_its_newest_epoch_and_followed(artifacts):
    run = record_epochs(started_run("vgg16", record_test_predictions=True), wrong=(0.5, 0.4))
    page = opened(run=run.id)
    assert sorted(shown(page)) == wrong_after(run, 2)
    assert page.metric[2].value == f"2 of {run.read_config().epochs}"
    assert "Epoch 2 is the newest, and this page follows it." in told(page, "epochs")["note"]
    assert told(page, "refreshing")["seconds"] >= 3
    classes = np.arange(200, dtype="uint8") % 10
    run.append_epoch_predictions(classes, classes, np.full(200, 255, "uint8"))
    page = ran(page)
    assert page.metric[0].value == "100.00 %"
    assert told(page, "epochs")["epoch"] == 3
    page = opened(run=run.id, epoch="1")
    assert sorted(shown(page)) == wrong_after(run, 1)
    assert "move the slider there" in told(page, "epochs")["note"]
    # Half of the next epoch is written.
    with open(run.epochs_path, "ab") as file:
        file.write(bytes(250))
    assert told(opened(run=run.id), "epochs")["epoch"] == 3


def test_a_run_of_one_epoch_needs_no_slider(artifacts):
    run = record_epochs(started_run(), wrong=(0.5,))
    page = opened(run=run.id)
    assert sorted(shown(page)) == wrong_after(run, 1)
    assert told(page, "epochs") is None
    assert any("Epoch 1 is the newest" in caption.value for caption in page.caption)


def test_a_run_that_was_stopped_shows_what_it_had_learned_and_is_not_followed(artifacts):
    run = record_epochs(started_run())
    run.write_status(state="stopped")
    page = opened(run=run.id)
    assert sorted(shown(page)) == wrong_after(run, 3)
    assert "Its training ended after epoch 3" in told(page, "epochs")["note"]
    assert told(page, "refreshing") is None


def test_before_its_first_epoch_is_over_a_run_that_records_says_so_and_is_waited_for(artifacts):
    run = started_run(record_test_predictions=True)
    page = opened(run=run.id)
    assert page.info[0].value.endswith("is running: its gallery opens when its first epoch is over.")
    assert told(page, "refreshing")["seconds"] >= 3
    record_epochs(run)
    assert len(shown(ran(page))) > 0


def test_a_run_that_was_tested_is_shown_before_a_newer_one_that_trains(artifacts):
    tested, running = finished_run(), record_epochs(started_run())
    page = opened()
    assert chosen(page) == tested.id
    page.selectbox(key="gallery run").select(running.id)
    assert sorted(shown(ran(page))) == wrong_after(running, 3)


def test_damaged_epochs_of_a_run_that_trains_are_one_sentence(artifacts):
    run = record_epochs(started_run())
    run.epochs_path.write_bytes(b"no epochs at all\n")
    page = opened(run=run.id)
    (error,) = page.error
    assert error.value.startswith(f"{run.id}: epoch_predictions.bin: its first line does not tell")


def test_a_story_without_more_is_that_of_all_images_and_taken_back_leaves_the_errors(learner):
    page = opened(story="forgotten")
    page.selectbox(key="url true=any").select("4")
    page = ran(page)
    assert dict(page.query_params) == {"story": "forgotten", "true": "4"}
    page.selectbox(key="url story=any").select("any")
    assert dict(ran(page).query_params) == {"true": "4"}
    assert page.button_group(key="url show=errors").value == "errors"


def interval(right, images):
    low, high = wilson_interval(right, images)
    return f"95 % interval {100 * low:.2f} to {100 * high:.2f} %"


def test_each_accuracy_has_its_interval_for_every_epoch_and_every_class(learner):
    right = [200 - len(wrong_after(learner, epoch)) for epoch in (1, 2, 3)]
    page = opened(epoch="1")
    assert page.metric[0].delta == interval(right[0], 200)
    assert told(page, "epochs")["intervals"] == [interval(each, 200) for each in right]
    matrix = scores.confusion_matrix(
        np.eye(10)[learner.read_predictions()["epoch_classes"][0]], learner.read_predictions()["labels"]
    )
    (bars,) = [chart for chart in page.get("vega_lite_chart") if "Recognised" in chart.proto.spec]
    rows = bytes_to_df(bars.proto.datasets[0].data.data)
    expected = [wilson_interval(right, 20) for right in matrix.diagonal()]
    np.testing.assert_allclose(rows[["low", "high"]], 100 * np.array(expected))
    # The number of a bar that is too short for it stands behind its interval, in a colour for the page.
    layers = [each for each in json.loads(bars.proto.spec)["layer"] if each["mark"]["type"] == "text"]
    inside, behind = sorted(layers, key=lambda each: "field" in each["encoding"]["x"])
    limits = [re.fullmatch(r"datum\.percent (<|>=) (\d+)", each["transform"][0]["filter"]) for each in layers]
    assert {limit[1] for limit in limits} == {"<", ">="}
    assert limits[0][2] == limits[1][2]
    assert behind["encoding"]["x"]["field"] == "high"
    assert "<" in behind["transform"][0]["filter"]
    assert inside["mark"]["color"] != behind["mark"]["color"]
    # A hidden accuracy has none.
    assert not opened(hidden="true").metric[0].delta
