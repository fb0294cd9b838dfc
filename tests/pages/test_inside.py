"""The Inside page as its script runs: which networks and which image it opens, and what it says of them."""

import base64
import functools
import html
import io
import json
import re
import shutil
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from PIL import Image
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df as bytes_to_df

from core.datasets.test_images import load_test_images
from core.digits.strokes import digit_image
from core.explain import perturbations
from core.explain.features import OpenNetwork
from core.explain.pictures import in_address
from core.runs.run import Run
from tests.every_page import opened as opened_page
from tests.folders import finished_run, started_run
from tests.penmanship import address_of, strokes

opened = functools.partial(opened_page, "inside")
INCLUDED = Path(__file__).parents[2] / "artifacts"


def included(artifacts, pattern):
    """A run that comes with the project, in the test's folder."""
    (folder,) = INCLUDED.glob(pattern)
    return Run(shutil.copytree(folder, artifacts / folder.name))


@pytest.fixture
def lenet(artifacts):
    return included(artifacts, "lenet5-mnist-*")


def strips(page):
    return [
        json.loads(each.proto.json)
        for each in page.get("bidi_component")
        if "frames" in json.loads(each.proto.json or "{}")
    ]


def frame(strip, title):
    (found,) = [each for each in strip["frames"] if each["title"] == title]
    return found


def pixels(part):
    return np.frombuffer(base64.b64decode(part["pixels"]), np.uint8).reshape(part["sides"])


def said(page):
    return " ".join(each.proto.body for each in page.get("html") if "inside-name" in each.proto.body)


def test_with_no_run_it_leads_to_training(artifacts):
    page = opened()
    assert "Nothing to look into yet" in page.info[0].value
    assert [link.proto.page for link in page.get("page_link")] == ["train"]


def test_a_strip_goes_from_the_pixels_to_the_prediction(lenet):
    page = opened(image="7")
    (strip,) = strips(page)
    image = load_test_images("mnist")[7]
    np.testing.assert_array_equal(pixels(strip["raw"]), image)
    titles = [each["title"] for each in strip["frames"]]
    assert titles == [
        *("Resized", "Mean subtracted, standardised", "Augmented 1", "Augmented 2", "Augmented 3", "First filters"),
        *("c1", "s2", "c3", "s4", "c5", "Last features", "Logits and probabilities"),
    ]
    assert frame(strip, "c3")["sides"] == [10, 10, 1]
    assert len(frame(strip, "c3")["numbers"]) == 8
    assert len(frame(strip, "c1")["numbers"]) == 6
    rows = frame(strip, "Logits and probabilities")["rows"]
    shares = {name: share for name, _, share in rows}
    assert sum(shares.values()) == pytest.approx(1, abs=1e-3)
    assert max(shares, key=shares.get) == "9"
    assert "says 9" in said(page)
    assert "right" in said(page)


def test_all_maps_of_a_layer_are_in_the_strip_when_the_address_names_it(lenet):
    (strip,) = strips(opened(stage="c3"))
    assert sorted(strip["all"]["numbers"]) == list(range(16))
    assert strips(opened())[0]["all"] is None


def test_another_draw_of_the_augmentation_is_another_picture(lenet):
    first, again, other = (strips(opened(draws=draws))[0] for draws in ("0", "0", "1"))
    assert frame(first, "Augmented 1") == frame(again, "Augmented 1") != frame(other, "Augmented 1")
    assert frame(first, "Resized") == frame(other, "Resized")


def test_what_training_does_to_the_stored_image_is_in_the_strip_too(lenet):
    record = json.loads(lenet.config_path.read_text("utf-8"))
    record["config"] |= {"crop_padding": 4, "translate": 0.0, "rotate": 20.0, "erase": 0.3, "mixup": 0.2}
    lenet.config_path.write_text(json.dumps(record), "utf-8")
    (strip,) = strips(opened(image="7"))
    frames = [frame(strip, f"Augmented {number}") for number in (1, 2, 3)]
    assert len({each["pixels"] for each in frames}) == 3
    for each in frames:
        assert "before it was mixed with another" in each["about"]
        assert "turned by" in each["about"]
        assert "with a square erased" in each["about"]
    assert any("cropped, " in each["about"] for each in frames)


def test_nothing_says_the_answer_until_it_is_revealed(lenet):
    page = opened(image="7", hidden="true")
    (strip,) = strips(page)
    assert frame(strip, "Logits and probabilities")["rows"] is None
    assert "says ?" in said(page)
    shown = [*(each.value for each in page.markdown), *(each.value for each in page.caption), said(page)]
    assert "Test image 7: **?**" in shown
    assert not [text for text in shown if "**9**" in text or "says 9" in text]
    (reveal,) = [button for button in page.button if button.label == "Reveal"]
    page = reveal.click().run()
    assert "hidden" not in page.query_params
    assert page.query_params["image"] == "7"
    assert "says 9" in said(page)


def test_a_drawing_in_the_address_is_what_is_looked_at(lenet):
    page = opened(drawing=address_of(strokes(7)))
    np.testing.assert_array_equal(pixels(strips(page)[0]["raw"])[..., 0], digit_image(strokes(7)))
    assert "Your drawing" in [each.value for each in page.markdown]
    assert "says 7" in said(page)
    (back,) = [button for button in page.button if button.label == "Back to the test images"]
    page = back.click().run()
    assert dict(page.query_params) == {}


def test_a_picture_in_the_address_is_what_is_looked_at(lenet):
    image = load_test_images("mnist")[3]
    page = opened(picture=in_address(image))
    np.testing.assert_array_equal(pixels(strips(page)[0]["raw"]), image)
    assert "Your picture" in [each.value for each in page.markdown]


@pytest.mark.parametrize(
    "name",
    [
        "drawing",
        "picture",
        "image",
        "stage",
        "draws",
        "hidden",
        "filter",
        "heat",
        "class",
        "strength",
        "rotate",
        "erased",
        "over",
        "curves",
        "flips",
    ],
)
def test_what_makes_no_sense_in_the_link_is_one_sentence_and_ignored(lenet, name):
    page = opened(**{name: "<b>"})
    (warning,) = page.warning
    assert "<b>" not in warning.value
    assert len(strips(page)) == 1


def test_a_picture_for_another_dataset_says_so(lenet):
    page = opened(picture=in_address(load_test_images("cifar10")[0]))
    assert "was made for another dataset" in page.warning[0].value


def test_two_networks_are_under_one_another_and_what_was_not_trained_to_the_end_is_not_here(artifacts, lenet):
    other = included(artifacts, "alexnet-mnist-modern-*")
    running = started_run("vgg16", "mnist")
    page = opened(run=[lenet.id, other.id])
    assert [strip["side"] for strip in strips(page)] == [32, 64]
    assert len(opened(run=running.id).info) == 1
    assert len(strips(opened(run=[other.id, running.id]))) == 1


def test_of_a_network_that_did_not_come_along_there_are_its_predictions_and_the_way_to_train_it(artifacts):
    run = finished_run("vgg16", "cifar10", wrong=0)
    page = opened(run=run.id, image="13")
    assert strips(page) == []
    assert "says bird" not in said(page)
    assert f"says cat, {100 * 0.82:.1f} % sure: right" in said(page)
    (gallery,) = [link for link in page.get("page_link") if link.proto.page == "gallery"]
    assert f"run={run.id}" in gallery.proto.query_string
    assert "image=13" in gallery.proto.query_string
    assert "Train VGG-16 quickly" in [button.label for button in page.button]
    # It was tested on 200 images only.
    assert "was not asked about test image 300" in said(opened(run=run.id, image="300"))


def test_a_picture_file_is_fitted_and_put_into_the_address(lenet):
    page = opened(image="7")
    buffer = io.BytesIO()
    Image.fromarray(255 - load_test_images("mnist")[7][..., 0]).resize((280, 280)).save(buffer, "PNG")
    page = page.file_uploader[0].upload("nine.png", buffer.getvalue()).run()
    assert list(page.query_params) == ["picture"]
    assert "says 9" in said(page)
    page = page.file_uploader[0].upload("nine.png", b"no picture").run()
    assert "not a picture that can be read here" in page.error[0].value
    assert list(page.query_params) == ["picture"]


def looks(page):
    return [each.proto.body for each in page.get("html") if 'class="look"' in each.proto.body]


def overlay(look):
    found = re.search(r'opacity:([\d.]+)" src="data:image/png;base64,([^"]+)"', look)
    return float(found[1]), np.array(Image.open(io.BytesIO(base64.b64decode(found[2]))))


def test_where_it_looks_is_exact_where_the_network_allows_it_and_estimated_elsewhere(artifacts, lenet):
    resnet = included(artifacts, "resnet34-mnist-modern-20261122-*")
    estimated, exact = looks(opened(run=[lenet.id, resnet.id], image="7"))
    assert "An estimate, Score-CAM" in estimated
    assert "against it" not in estimated
    assert "Exact: ResNet-34 ends in the mean of each map of conv5_3_add" in exact
    assert "against it" in exact


def test_a_heat_map_is_for_the_class_that_is_chosen_and_as_strong_as_is_chosen(lenet):
    nine, four = (
        looks(opened(image="7", heat="occlusion", strength="40", **query))[0] for query in ({}, {"class": "4"})
    )
    assert "for 9" in nine
    assert "for 4" in four
    assert overlay(nine)[0] == overlay(four)[0] == 0.4
    assert (overlay(nine)[1] != overlay(four)[1]).any()
    assert re.search(r"The most in row \d, column \d: from 88\.8 % to \d+\.\d %", nine)


def test_a_heat_map_does_not_say_the_answer_until_it_is_revealed(lenet):
    (look,) = looks(opened(image="7", heat="occlusion", hidden="true"))
    assert "for ?" in look
    assert "88.8" not in look
    assert "for 9" not in look
    # Nor does that for a class that somebody asks about.
    (look,) = looks(opened(image="7", heat="occlusion", hidden="true", **{"class": "9"}))
    assert "for 9" in look
    assert " %" not in look


def test_the_convolution_is_that_of_the_chosen_filter(lenet):
    steps = [
        json.loads(each.proto.json)
        for each in opened(filter="3").get("bidi_component")
        if "kernel" in json.loads(each.proto.json or "{}")
    ]
    (step,) = steps
    first = OpenNetwork(lenet).first_layer()
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(step["kernel"]), "<f4"), first.kernels[3].ravel())
    assert (step["out"], step["size"], step["side"]) == (28, 5, 32)


def eraser(page):
    told = [json.loads(each.proto.json or "{}") for each in page.get("bidi_component")]
    (found,) = [each for each in told if "erased" in each]
    return found


def curves(page):
    (chart,) = page.get("vega_lite_chart")
    return bytes_to_df(chart.proto.datasets[0].data.data)


def test_the_changes_in_the_link_are_made_and_shown(lenet):
    image = load_test_images("mnist")[7]
    erased = np.zeros((28, 28), bool)
    erased[4:9, 10:20] = True
    page = opened(image="7", rotate="60", blur="4", mirror="true", erased=perturbations.in_address(erased))
    wanted = perturbations.changed(image, {"rotate": 60, "blur": 4}, True, erased)
    np.testing.assert_array_equal(pixels(eraser(page)), wanted)
    (back,) = [button for button in page.button if button.label == "Undo all changes"]
    page = back.click().run()
    assert dict(page.query_params) == {"image": "7"}
    np.testing.assert_array_equal(pixels(eraser(page)), image)
    assert page.slider(key="url rotate=0").value == 0


def test_a_slider_changes_the_image_and_the_link_and_keeps_the_test_image(lenet):
    page = opened(image="7")
    page = page.slider(key="url rotate=0").set_value(-90).run()
    assert dict(page.query_params) == {"image": "7", "rotate": "-90"}
    assert "it was 9" in said(page)
    np.testing.assert_array_equal(pixels(eraser(page)), np.rot90(load_test_images("mnist")[7]))


def test_the_curves_are_of_what_the_networks_say_or_of_the_classes_that_are_chosen(lenet):
    table = curves(opened(image="7", rotate="-90"))
    network = OpenNetwork(lenet)
    image = load_test_images("mnist")[7]
    now = int(network.classify(perturbations.changed(image, {"rotate": -90})[None])[0].argmax())
    assert set(table["class"]) == {"9", str(now)}
    wanted = perturbations.curve(network, image, {"rotate": -90}, "rotate")[:, 9]
    np.testing.assert_allclose(table[table["class"] == "9"]["percent"], 100 * wanted, atol=1e-3)
    chosen = curves(opened(image="7", over="blur", curves=["1", "4"]))
    assert set(chosen["class"]) == {"1", "4"}
    assert list(chosen[chosen["class"] == "1"]["amount"]) == perturbations.CHANGES["blur"].amounts


def test_the_smallest_change_that_flips_a_network_is_a_link_to_it(lenet):
    page = opened(image="1", flips="true", brightness="50")
    (table,) = [each.proto.body for each in page.get("html") if "class='flips'" in each.proto.body]
    wanted = perturbations.smallest_flips(OpenNetwork(lenet), load_test_images("mnist")[1])
    links = re.findall(r'href="inside\?([^"]+)">([^<]+)<', table)
    flips = [flip for flip in wanted.values() if flip]
    assert [words for _, words in links] == [f"{flip.words}: {flip.number}" for flip in flips]
    rotated = flips.index(wanted["rotate"])
    amount = wanted["rotate"].amounts["rotate"]
    assert links[rotated][0] == f"image=1&amp;flips=true&amp;rotate={amount}&amp;over=rotate"
    for kind in ("mirror", "square", ("right", "down")):
        link, _ = links[list(wanted).index(kind)]
        after = opened(**dict(parse_qsl(html.unescape(link).replace("&flips=true", ""))))
        assert f"{wanted[kind].number}, " in said(after)
        assert "it was 2" in said(after)


def test_nothing_of_what_changes_its_mind_is_said_until_it_is_revealed(lenet):
    page = opened(image="7", hidden="true", flips="true", rotate="-90")
    assert "hidden until you reveal it" in page.info[0].value
    assert not page.get("vega_lite_chart")
    assert "it was" not in said(page)


def test_a_drawing_that_is_unlike_every_test_digit_is_warned_of_and_a_plain_one_is_not(lenet):
    assert not opened(drawing=address_of(strokes(7))).warning
    image = np.rot90(load_test_images("mnist")[:60], axes=(1, 2))
    pages = [opened(picture=in_address(np.ascontiguousarray(each))) for each in image[:12]]
    warned = [page for page in pages if page.warning]
    assert 0 < len(warned) < 12
    assert "Your picture is unlike the images that LeNet-5 was tested on" in warned[0].warning[0].value
    (caption,) = [each.value for each in warned[0].caption if each.value.startswith("It is told by")]
    assert re.search(
        r"LeNet-5’s threshold is a distance of 0\.17, calibrated on 6,000 validation images: 42 of them \(0\.7 %\) are "
        r"farther away, so with a confidence of 99 % at most 1 % of all images like them are\.",
        caption,
    )


def test_the_warning_of_a_map_from_an_older_version_says_that_it_was_told_by_test_images(lenet):
    older = ("threshold", "validation_images", "validation_beyond")
    lenet.write_map({name: array for name, array in lenet.read_map().items() if name not in older})
    image = np.ascontiguousarray(np.rot90(load_test_images("mnist")[4]))
    page = opened(picture=in_address(image))
    assert "unlike the images that LeNet-5 was tested on" in page.warning[0].value
    assert any("no more than 1 % of the test images are farther away" in each.value for each in page.caption)


def test_draw_warns_of_a_drawing_that_is_unlike_every_test_digit_too(lenet):
    assert not opened_page("draw", drawing=address_of(strokes(7))).warning
    random, warned = np.random.default_rng(0), []
    for _ in range(12):
        points = random.uniform(0.1, 0.9, (8, 2)).round(3).tolist()
        page = opened_page("draw", drawing=address_of([{"width": 0.085, "points": points}]))
        warned += [each.value for each in page.warning]
    assert 0 < len(warned) < 12
    assert warned[0].startswith("Your drawing is unlike the images that LeNet-5 was tested on")


def test_the_gallery_and_draw_lead_here(artifacts, lenet):
    grid = " ".join(each.proto.body for each in opened_page("gallery", run=lenet.id).get("html"))
    assert f'href="inside?run={lenet.id}&amp;image=' in grid
    page = opened_page("draw", drawing=address_of(strokes(7)))
    (link,) = [link for link in page.get("page_link") if link.proto.page == "inside"]
    assert f"run={lenet.id}" in link.proto.query_string
    assert f"drawing={address_of(strokes(7))}" in link.proto.query_string
