"""What the Inside page and Draw offer of a run that came without its network: what its stored predictions allow."""

import re

import numpy as np
import pytest

from tests.every_page import opened
from tests.folders import finished_run, learned
from tests.penmanship import address_of, strokes, teach


@pytest.fixture
def absent(artifacts):
    run = learned(finished_run("vgg16", recipe="modern"))
    run.shipped_path.touch()
    return run


def bodies(page):
    return " ".join(element.proto.body for element in page.get("html"))


def links(page):
    return {(link.proto.page, link.proto.query_string) for link in page.get("page_link")}


def test_all_ten_probabilities_are_shown_as_they_were_stored(absent):
    page = opened("inside", run=absent.id, image="7")
    (bars,) = re.findall(r'<ul class="stored-bars".*?</ul>', bodies(page), re.DOTALL)
    shown = [float(share) for share in re.findall(r"<span>([\d.]+) %</span>", bars)]
    stored = absent.read_predictions()["probabilities"][7]
    np.testing.assert_allclose(shown, 100 * stored, atol=0.051)
    assert re.findall(r"<b>(.*?)</b>", bars) == [str(digit) for digit in range(10)]


def test_the_story_of_the_image_over_the_epochs_is_told(absent):
    classes = absent.read_predictions()["epoch_classes"]
    image = int(np.flatnonzero((classes[0] != classes[1]) & (classes[1] == classes[2]))[0])
    body = bodies(opened("inside", run=absent.id, image=str(image)))
    assert f"Epoch 1: {classes[0][image]}" in body
    assert f"Epochs 2 to 3: {classes[1][image]}" in body
    absent.write_predictions(
        **{name: array for name, array in absent.read_predictions().items() if name in ("logits", "labels")}
    )
    assert "did not record" in bodies(opened("inside", run=absent.id, image="7"))


def test_what_is_hidden_is_told_nowhere(absent):
    body = bodies(opened("inside", run=absent.id, image="7", hidden="true"))
    assert "stored-bars" not in body
    assert "Epoch" not in body


def test_it_leads_to_the_gallery_and_to_a_network_that_is_there_and_says_what_training_adds(absent):
    here = teach(finished_run("lenet5"))
    page = opened("inside", run=absent.id, image="7")
    assert ("gallery", f"run={absent.id}&show=all&image=7") in links(page)
    assert f'href="inside?run={here.id}&amp;image=7"' in bodies(page)
    said = " ".join(each.value for each in [*page.caption, *page.markdown])
    assert "would add the filmstrip" in said
    assert "38 s" in said
    drawing = address_of(strokes(7))
    page = opened("inside", run=absent.id, drawing=drawing)
    assert f'href="inside?run={here.id}&amp;drawing={drawing}"' in bodies(page)
    # Nothing of it can be drawn as a filmstrip.
    assert not page.number_input(key="url image=0").disabled
    assert [each.label for each in page.number_input] == ["Test image"]


def test_draw_names_the_runs_that_cannot_read_a_drawing_and_leads_to_their_predictions(absent):
    teach(finished_run("lenet5"))
    # Of this kind dozens come along, for the claims.
    evidence = finished_run("vgg16")
    evidence.shipped_path.touch()
    page = opened("draw")
    assert any("without their networks" in each.value for each in page.caption)
    assert ("inside", f"run={absent.id}") in links(page)
    assert ("inside", f"run={evidence.id}") not in links(page)
