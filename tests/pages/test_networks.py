"""The Networks page: the road, every network layer by layer, two side by side, and what accuracy costs."""

import functools
import re

import pandas as pd
import pytest

from core.config.recipes import make_config
from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from core.networks.sizes import block_of, layers, size
from core.networks.stories import ROAD, story
from core.palette import NETWORK_COLOURS
from pages.parts.charts import milestones
from pages.parts.charts.architecture import dot, dot_of_block
from tests.every_page import opened as opened_page
from tests.folders import finished_run

opened = functools.partial(opened_page, "networks")
pytestmark = pytest.mark.usefixtures("artifacts")
# So many boxes are still a drawing; the deepest network has more than two thousand layers.
MOST_BOXES = 100
every_network = pytest.mark.parametrize("name", NETWORKS)


def drawn(name):
    """The drawing of a network on CIFAR-10, and its layers."""
    config = make_config(name, "cifar10", "paper")
    found = layers(config)
    return dot(found, (config.image_size, config.image_size, 3), NETWORK_COLOURS[name]), found


@every_network
def test_a_story_and_its_paper_are_told_of_every_network(name):
    assert 300 < len(story(name)) < 900
    assert NETWORKS[name]["link"].startswith(("https://arxiv.org/abs/", "https://doi.org/"))


def test_the_networks_of_the_contest_are_those_of_the_catalogue_and_errors_fall():
    assert {stone.network for stone in ROAD} - {None} <= set(NETWORKS)
    errors = [stone.error for stone in ROAD]
    assert errors == sorted(errors, reverse=True)


@every_network
def test_a_drawing_has_few_boxes_and_every_layer_is_in_one(name):
    drawing, found = drawn(name)
    boxes = re.findall(r"^(n\d+) \[label", drawing, re.MULTILINE)
    assert len(boxes) == len(set(boxes)) <= MOST_BOXES
    arrows = re.findall(r"(n\d+) -> (n\d+)", drawing)
    assert {end for arrow in arrows for end in arrow} == set(boxes)
    # Everything comes from the image, and leads to the logits.
    assert {box for box in boxes if box not in {target for _, target in arrows}} == {"n0"}
    ends = {box for box in boxes if box not in {source for source, _ in arrows}}
    assert len(ends) == 1 + sum(layer.training_only and "logits" in layer.name for layer in found)
    stands_for = len(boxes) - 1
    for times, inside in re.findall(r'label="× (\d+)";[^\n]*\n(.*?)\n}', drawing, re.DOTALL):
        stands_for += (int(times) - 1) * len(re.findall(r"^n\d+ \[", inside, re.MULTILINE))
    assert stands_for == len(found)


def test_what_only_training_has_is_drawn_dashed_and_marked_in_the_table():
    drawing, found = drawn("googlenet")
    heads = [number for number, layer in enumerate(found) if layer.training_only]
    dashed = [int(number) - 1 for number in re.findall(r"^n(\d+) \[.*dashed", drawing, re.MULTILINE)]
    assert dashed == heads
    assert len(heads) == 2 * len(("pooling", "convolution", "row", "dense", "logits"))
    assert drawing.count("only while it trains") == 2
    (table,) = (frame.value for frame in opened(network="googlenet").dataframe)
    marked = table["What it does"].str.endswith("only while it trains")
    assert list(table["Layer"][marked]) == [found[head].name for head in heads]
    assert table["Parameters"][~marked].sum() == size(make_config("googlenet", "cifar10", "paper")).parameters


@pytest.mark.parametrize(
    ("name", "block", "comes_in", "leads_to"),
    [
        ("resnet20", "conv3_1", ["conv2_3_add"], ["conv3_2"]),
        ("googlenet", "inception4a", ["pool4"], ["inception4b, auxiliary1"]),
        ("googlenet", "auxiliary1", ["inception4a"], []),
        ("alexnet", "conv1", [], ["pool1"]),
    ],
)
def test_a_block_is_drawn_alone_with_what_goes_in_and_where_it_leads(name, block, comes_in, leads_to):
    config = make_config(name, "cifar10", "paper")
    found = layers(config)
    drawing = dot_of_block(found, (config.image_size, config.image_size, 3), NETWORK_COLOURS[name], block)
    outside = {-1, *(number for number, layer in enumerate(found) if block_of(layer.name) != block)}
    boxes = {int(number) - 1 for number in re.findall(r"^n(\d+) \[label", drawing, re.MULTILINE)}
    inside = {number for number, layer in enumerate(found) if block_of(layer.name) == block}
    assert inside <= boxes
    assert boxes & outside == {source for number in inside for source in found[number].inputs} - inside
    assert re.findall(r'label="from ([^\\]+)', drawing) == comes_in
    assert [set(said.split(", ")) for said in re.findall(r'label="to ([^"]+)"', drawing)] == [
        set(said.split(", ")) for said in leads_to
    ]


def test_the_block_that_is_chosen_is_the_one_that_is_drawn():
    whole, block = (opened(network="resnet20", **query) for query in ({}, {"block": "conv3_1"}))
    drawings = [page.get("graphviz_chart")[0].proto.spec for page in (whole, block)]
    assert "image" in drawings[0]
    assert "from conv2_3_add" in drawings[1]
    assert "image" not in drawings[1]


def test_shortcuts_are_drawn_in_the_networks_colour():
    thick = {name: drawn(name)[0].count("penwidth=2.5") for name in ("vgg16", "resnet20", "densenet40")}
    assert thick == {"vgg16": 0, "resnet20": 5, "densenet40": 3}


def test_the_block_of_a_layer_is_the_first_part_of_its_name():
    names = {"conv2_1_a": "conv2_1", "c3": "c3", "inception3a_5x5_narrowed": "inception3a", "dense1_12": "dense1_12"}
    assert {name: block_of(name) for name in names} == names
    assert block_of("block1_column0_4") == "block1"


@pytest.mark.parametrize(("side", "pixels"), [("own", 32), ("128", 128)])
def test_the_table_has_every_layer_for_the_dataset_and_image_size_chosen(side, pixels):
    page = opened(network="resnet20", dataset="mnist", size=side)
    (table,) = (frame.value for frame in page.dataframe)
    counted = size(make_config("resnet20", "mnist", "paper", image_size=pixels))
    assert table["Parameters"].sum() == counted.parameters
    assert table["Multiply-adds"].sum() == counted.multiply_adds
    assert table["Output"][0] == f"{pixels}×{pixels}×16"
    assert table["Receptive field"][0] == 3
    assert table["Activation (kB)"][0] == pytest.approx(pixels * pixels * 16 * 4 / 1000)
    (block,) = opened(network="resnet20", dataset="mnist", size=side, block="conv3_1").dataframe
    assert list(block.value["Layer"]) == ["conv3_1_widened", "conv3_1_a", "conv3_1_b", "conv3_1_add"]


def test_two_networks_stand_side_by_side_with_what_differs():
    page = opened(network="vgg16", beside="vgg19")
    (differences,) = (table.value for table in page.get("table"))
    assert list(differences.columns) == ["VGG-16", "VGG-19"]
    assert list(differences.loc["Layers with weights"]) == ["16", "19"]
    # Both are of one year and one family.
    assert "Year" not in differences.index
    assert all(first != second for first, second in differences.to_numpy())
    assert len(page.dataframe) == 2


def test_what_an_address_says_wrongly_is_said_and_the_page_opens():
    page = opened(network="resnet35", size="33", block="nothing")
    assert [warning.value.split("”")[0] for warning in page.warning] == ["“Network", "“Image size", "“Block"]


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_evaluated_run_stands_among_the_costs_of_its_dataset(monkeypatch, dataset):
    drawn, draw_cost = [], milestones.draw_cost
    monkeypatch.setattr(milestones, "draw_cost", lambda rows, *key: drawn.append(rows) or draw_cost(rows, *key))
    runs = [finished_run(network, dataset) for network in ("alexnet", "lenet5", "lenet5")]
    finished_run("vgg16", next(other for other in DATASETS if other != dataset))
    opened(dataset=dataset)
    (rows,) = drawn
    assert sorted(name[-4:] for name in rows["name"]) == sorted(run.id[-4:] for run in runs)
    assert (rows["low"] < rows["accuracy"]).all()
    assert (rows["accuracy"] < rows["high"]).all()
    counted = size(runs[0].read_config())
    assert (counted.multiply_adds, counted.parameters) in zip(rows["multiply_adds"], rows["parameters"], strict=True)


def test_the_frontier_is_of_those_that_nothing_cheaper_equals():
    costs, accuracies = [4, 1, 2, 3, 1, 5], [0.9, 0.7, 0.7, 0.8, 0.6, 0.95]
    assert milestones.frontier(pd.DataFrame({"cost": costs, "accuracy": accuracies})).index.tolist() == [1, 3, 0, 5]


def test_of_many_networks_those_on_the_frontier_and_those_chosen_are_named_clear_of_one_another():
    networks = list(NETWORKS)[:14]
    rows = pd.DataFrame(
        {
            "network": networks,
            "cost": [2.0**number for number in range(14)],
            "accuracy": [90 + number if number % 4 == 0 else 70 + number for number in range(14)],
        }
    )
    sides = milestones.labels_at(rows, [networks[3]])
    assert sides[sides != ""].to_dict() == {0: "right", 3: "right", 4: "left", 8: "left", 12: "left"}
    # Where two are too near one another, the better one has its name there.
    rows.loc[11, "accuracy"] = 101
    assert milestones.labels_at(rows, []).loc[[11, 12]].tolist() == ["", "left"]
    # The one that is chosen always has.
    assert milestones.labels_at(rows, [networks[11]]).loc[[11, 12]].tolist() == ["left", ""]
    # All of a few have.
    assert (milestones.labels_at(rows[:8], []) == "right").all()


def test_the_costs_are_of_the_dataset_above_unless_one_is_chosen_there():
    finished_run("alexnet", "mnist")
    missing = "No network has been trained on {} yet; runs on it will appear here."
    assert opened(dataset="fashion_mnist").info[0].value == missing.format("Fashion-MNIST")
    assert not opened(dataset="mnist").info
    assert not opened(dataset="fashion_mnist", costs="mnist").info
    assert opened(dataset="mnist", costs="cifar10").info[0].value == missing.format("CIFAR-10")


def test_without_a_run_the_costs_say_what_to_do():
    page = opened(dataset="fashion_mnist")
    assert [info.value for info in page.info] == [
        "No network has been trained on Fashion-MNIST yet; runs on it will appear here."
    ]
