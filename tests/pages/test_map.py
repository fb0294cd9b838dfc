"""The map in the Gallery and on Draw, as their scripts run."""

import base64
import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.explain.embedding import neighbours, place, positions
from core.explain.features import OpenNetwork
from tests.folders import finished_run, mapped
from tests.penmanship import DIGITS, address_of, strokes, teach

APP = str(Path(__file__).parents[2] / "app.py")
# A strip of the hand-made map on which classes 3 and 4 stand.
AREA = "300-0_500-0_500-1000_300-1000"


def opened(name, **query):
    page = AppTest.from_file(APP, default_timeout=60)
    page.switch_page(f"pages/{name}.py")
    for key, value in query.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception
    return page


def tiles(page):
    grids = [element.proto.body for element in page.get("html") if 'class="cases"' in element.proto.body]
    return [int(number) for number in re.findall(r'data-image="(\d+)"', "".join(grids))]


def told(page):
    """What the map in the browser is told, or None where there is none."""
    found = [json.loads(component.proto.json or "{}") for component in page.get("bidi_component")]
    return next((data for data in found if "points" in data), None)


def said(page):
    return " ".join(element.value for kind in ("info", "warning", "error", "caption") for element in page.get(kind))


@pytest.fixture
def run(artifacts):
    return mapped(finished_run())


def test_the_map_stands_where_the_address_asks_for_it_in_place_of_the_matrix(run):
    assert told(opened("gallery", run=run.id)) is None
    page = opened("gallery", run=run.id, view="map")
    data = told(page)
    points = np.frombuffer(base64.b64decode(data["points"]), "<u2").reshape(-1, 2)
    assert (points == run.read_map()["points"]).all()
    assert list(base64.b64decode(data["labels"])) == run.read_predictions()["labels"].tolist()
    assert (data["by"], data["chosen"], data["area"]) == ("true", None, None)
    assert page.get("arrow_vega_lite_chart") == []


def test_a_class_that_is_chosen_stands_out_and_the_answers_can_be_hidden(run):
    data = told(opened("gallery", run=run.id, view="map", colour="predicted", true="2", predicted="3"))
    assert (data["by"], data["chosen"]) == ("predicted", 3)
    assert told(opened("gallery", run=run.id, view="map", hidden="true"))["by"] == "none"


def test_the_images_beside_the_map_are_those_in_the_area_of_the_address(run):
    labels = run.read_predictions()["labels"]
    inside = np.flatnonzero((labels == 3) | (labels == 4))
    page = opened("gallery", run=run.id, view="map", show="all", area=AREA)
    assert sorted(tiles(page)) == inside.tolist()
    wrong = np.flatnonzero(run.read_predictions()["logits"].argmax(axis=1) != labels)
    assert f"**40 images in the area**, {len(np.intersect1d(wrong, inside))} of them wrong" in said(page)
    assert sorted(tiles(opened("gallery", run=run.id, view="map", area=AREA))) == np.intersect1d(wrong, inside).tolist()
    # The matrix has no areas.
    assert len(tiles(opened("gallery", run=run.id, show="all", area=AREA))) == 100


@pytest.mark.parametrize("area", ["1-2_3-4", "0-0_9-9_1001-5", "a-b_c-d_e-f", "<script>", "_".join(["1-1"] * 41)])
def test_an_area_that_is_none_is_ignored_with_a_sentence(run, area):
    page = opened("gallery", run=run.id, view="map", show="all", area=area)
    assert "The link's area is not on the map, so it is ignored." in said(page)
    assert len(tiles(page)) == 100


def test_images_are_sorted_by_how_far_they_are_out_of_place_where_there_is_a_map(run):
    arrays, labels = run.read_map(), run.read_predictions()["labels"]
    # One that stands among those of another class.
    stray = int(np.flatnonzero(labels == 8)[3])
    arrays["points"] = arrays["points"].copy()
    arrays["points"][stray] = arrays["points"][10]
    run.write_map(arrays)
    # Each of the two is the other's only neighbour.
    assert tiles(opened("gallery", run=run.id, show="all", sort="strangers"))[:2] == [10, stray]
    run.map_path.unlink()
    assert "“Sort by” in the link is none of the choices" in said(opened("gallery", run=run.id, sort="strangers"))


def test_a_run_without_a_map_says_how_to_get_one(run):
    arrays = run.read_map()
    run.map_path.unlink()
    page = opened("gallery", run=run.id, view="map")
    assert "A map is made from the network, and this run has none" in said(page)
    run.tflite_path.touch()
    assert opened("gallery", run=run.id, view="map").code[0].value == f"python -m core map {run.id}"
    run.shipped_path.touch()
    run.tflite_path.unlink()
    assert opened("gallery", run=run.id, view="map").code[0].value.startswith("python -m core train alexnet mnist")
    run.write_map(arrays | {"scales": np.full(4, np.nan, "float32")})
    page = opened("gallery", run=run.id, view="map")
    assert "map.npz: scales holds what is not a number" in said(page)
    assert len(tiles(page))


def test_a_drawing_is_placed_on_the_map_of_each_network_that_has_one(run):
    teach(run)
    teach(finished_run("vgg16"))
    drawing = address_of(strokes(7))
    assert placed(opened("draw", drawing=drawing)) == []
    (sheet,) = placed(opened("draw", drawing=drawing, map="true"))
    assert "<figcaption>AlexNet</figcaption>" in sheet
    assert sheet.count("<figure>") == 1
    assert len(re.findall(r"<b ", sheet)) == len(DIGITS)
    shown = [int(number) for number in re.findall(r'alt="No\. (\d+): ', sheet)]
    digit = drawn(drawing)
    features = OpenNetwork(run).last_features(digit[None, :, :, None])
    assert shown == neighbours(run.read_map(), features)[0][0].tolist()
    (where,) = re.findall(r'<i style="left: ([\d.]+)%; top: ([\d.]+)%">', sheet)
    around = positions(run.read_map())[shown]
    assert (100 * around.min(0) - 0.1 <= np.array(where, float)).all()
    assert (np.array(where, float) <= 100 * around.max(0) + 0.1).all()
    # An empty pad has the map too, with nothing on it.
    assert "<i " not in placed(opened("draw", map="true"))[0]


def placed(page):
    return [element.proto.body for element in page.get("html") if 'class="placed"' in element.proto.body]


def drawn(address):
    from core.digits.strokes import digit_image, strokes_in_address

    return digit_image(strokes_in_address(address))


def test_a_damaged_map_and_one_of_another_network_are_told_on_draw_and_the_others_are_drawn(run):
    drawing = address_of(strokes(7))
    others = [teach(mapped(finished_run(network), features=9)) for network in ("vgg16", "resnet34")]
    others[1].map_path.write_bytes(b"PK")
    page = opened("draw", drawing=drawing, map="true")
    assert "map.npz: it is of another network" in said(page)
    assert "map.npz: it is not an archive of arrays" in said(page)
    assert placed(page) == []
    teach(run)
    assert placed(opened("draw", drawing=drawing, map="true"))[0].count("<figure>") == 1


def test_networks_without_a_map_say_on_draw_how_one_is_made(artifacts):
    teach(finished_run())
    assert "None of these networks has a map." in said(opened("draw", map="true"))


def test_a_drawing_in_the_gallerys_address_is_placed_on_the_map(run):
    teach(run)
    drawing = address_of(strokes(7))
    assert told(opened("gallery", run=run.id, view="map"))["placed"] is None
    page = opened("gallery", run=run.id, view="map", drawing=drawing)
    features = OpenNetwork(run).last_features(drawn(drawing)[None, :, :, None])
    np.testing.assert_allclose(told(page)["placed"], place(run.read_map(), features)[0], atol=1e-3)
    (sheet,) = placed(page)
    shown = [int(number) for number in re.findall(r'alt="No\. (\d+): ', sheet)]
    assert shown == neighbours(run.read_map(), features)[0][0].tolist()
    # Whoever opens one of them still sees where the drawing lies.
    links = re.findall(r'href="(gallery[^"]+)"', sheet)
    assert [parse_qs(urlsplit(unescape(link)).query) for link in links] == [
        {"run": [run.id], "view": ["map"], "show": ["all"], "drawing": [drawing], "image": [str(number)]}
        for number in shown
    ]
    # With the answers hidden the nearest would tell them.
    page = opened("gallery", run=run.id, view="map", drawing=drawing, hidden="true")
    assert told(page)["placed"]
    assert placed(page) == []
    page = opened("gallery", run=run.id, view="map", drawing=drawing)
    page.button(key="off the map").click().run()
    assert "drawing" not in page.query_params
    assert told(page)["placed"] is None


def test_a_drawing_that_cannot_be_placed_is_told_and_the_map_is_drawn(run):
    drawing = address_of(strokes(7))
    page = opened("gallery", run=run.id, view="map", drawing=drawing)
    assert "its network is not here" in said(page)
    assert told(page)["placed"] is None
    teach(mapped(run, features=9))
    page = opened("gallery", run=run.id, view="map", drawing=drawing)
    assert "map.npz: it is of another network" in said(page)
    assert told(page)["placed"] is None


def test_inside_leads_to_the_place_of_its_image_on_the_map(run):
    teach(run)
    teach(finished_run("vgg16"))
    drawing = address_of(strokes(7))
    page = opened("inside", run=run.id, drawing=drawing)
    (link,) = [link.proto for link in page.get("page_link") if link.proto.page == "gallery"]
    assert link.query_string == f"run={run.id}&view=map&show=all&drawing={drawing}"
    page = opened("inside", run=run.id, image="7")
    (link,) = [link.proto for link in page.get("page_link") if link.proto.page == "gallery"]
    assert link.query_string == f"run={run.id}&view=map&show=all&image=7"
    # No map, no way.
    run.map_path.unlink()
    page = opened("inside", run=run.id, drawing=drawing)
    assert not [link for link in page.get("page_link") if link.proto.page == "gallery"]
