"""Networks: the road from the first to the deepest, each layer by layer, two side by side, and what accuracy costs."""

import pandas as pd
import streamlit as st

from core.config.recipes import make_config
from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS, TRAITS
from core.networks.sizes import block_of, layers, size, times
from core.networks.stories import story
from core.palette import NETWORK_COLOURS
from core.results import table as results
from pages.parts import data, presenter
from pages.parts.charts.architecture import draw_architecture, is_wide
from pages.parts.charts.milestones import ALL_NAMED, draw_cost, draw_milestones
from pages.parts.glossary import meaning
from pages.parts.inner_links import follow_inner_links
from pages.parts.linked import linked, put_in_url
from pages.parts.road import draw_road
from pages.parts.shell import begin_page
from pages.parts.starting import link_to_training
from pages.parts.style import plain

begin_page()

FIRST, NONE, ALL = "resnet34", "none", "all"
OWN = "own"
SIZES = {OWN: "As it is trained here"} | {str(side): f"{side} pixels" for side in (28, 32, 64, 128, 224)}
DRAWING_HEIGHT, TABLE_HEIGHT = 760, 420
STYLE = """<style>
[class*="st-key-drawing-"] { overflow-x: auto; }
.network-title { display: flex; align-items: center; gap: .6rem; font-size: 1.5rem; margin: 0; padding: 0; }
.network-title i { width: .9rem; height: .9rem; border-radius: 50%; }
.network-facts { list-style: none; margin: 0 !important; padding: 0 !important; display: flex; flex-wrap: wrap;
  gap: .25rem 1.75rem; }
.network-facts li { margin: 0 !important; font-variant-numeric: tabular-nums; }
</style>"""


def choose():
    """The widgets above a network; their values are in the URL. Returns (network, beside or None, dataset, size)."""
    notices = st.container()
    labels = {name: entry["label"] for name, entry in NETWORKS.items()}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        network = linked(st.selectbox, "Network", "network", labels, FIRST, notices, width=presenter.grown(240))
        others = {NONE: "No other"} | {name: label for name, label in labels.items() if name != network}
        beside = linked(st.selectbox, "Beside it", "beside", others, NONE, notices, width=presenter.grown(240))
        datasets = {name: entry["label"] for name, entry in DATASETS.items()}
        dataset = linked(st.segmented_control, "Dataset", "dataset", datasets, "cifar10", notices, required=True)
        side = linked(st.selectbox, "Image size", "size", SIZES, OWN, notices, width=presenter.grown(210))
    return network, None if beside == NONE else beside, dataset, side


def config_of(network, dataset, side):
    """The network as its paper has it, for images of this dataset and size."""
    changes = {} if side == OWN else {"image_size": int(side)}
    return make_config(network, dataset, "paper", **changes)


def draw_network(config, found, costs, number, alone):
    """One network: what it added, its figures, its drawing and its layers; `alone` where it has the page to itself."""
    entry, colour = NETWORKS[config.network], NETWORK_COLOURS[config.network]
    if not alone:
        words, picture, table = st.container(), st.container(), st.container()
    elif is_wide(found):
        words, table = st.columns([4, 7], gap="large")
        picture = st.container()
    else:
        picture, words = st.columns([4, 7], gap="large")
        table = words
    with words:
        st.html(f"<h3 class='network-title'><i style='background:{colour}'></i>{entry['label']}</h3>")
        st.markdown(f"{story(config.network)} [{entry['paper']}, {entry['year']}]({entry['link']})")
        said = "".join(f"<li><b>{value}</b> {label}</li>" for label, value in costs.items())
        st.html(f"<ul class='network-facts'>{said}</ul>")
    with table:
        block = draw_layers(found, number)
    image_shape = (config.image_size, config.image_size, DATASETS[config.dataset]["image_shape"][2])
    height = presenter.grown(DRAWING_HEIGHT) if block is None else "content"
    with picture, st.container(border=True, height=height, horizontal_alignment="center", key=f"drawing-{number}"):
        draw_architecture(found, image_shape, colour, entry["label"], block)


def facts(config, found):
    """What a network costs, in words: name -> value."""
    counted = size(config)
    found = [layer for layer in found if not layer.training_only]
    fields = [layer.receptive_field for layer in found if layer.receptive_field]
    return {
        "layers with weights": f"{NETWORKS[config.network]['layers']:,}",
        "parameters": f"{counted.parameters:,}",
        "multiply-adds an image": f"{counted.multiply_adds / 1e6:,.1f} M",
        "memory for the maps of one image": f"{sum(layer.activation_bytes for layer in found) / 1e6:,.1f} MB",
        "pixels a side seen by one value of its last maps": f"{max(fields):,}",
    }


def draw_layers(found, number):
    """The table of layers, of all blocks or of one; returns the name of the one, or None."""
    blocks = {ALL: "All blocks"} | {block: block for block in dict.fromkeys(block_of(layer.name) for layer in found)}
    notices = st.container()
    name = "block" if number == 0 else "block_beside"
    block = linked(
        st.selectbox,
        "Block",
        name,
        blocks,
        ALL,
        notices,
        width=presenter.grown(240),
        help="The table and the drawing show this one alone, with what goes in and where it leads.",
    )
    shown = [layer for layer in found if block in (ALL, block_of(layer.name))]
    table = pd.DataFrame(
        {
            "Layer": [layer.name for layer in shown],
            "What it does": [layer.words + ", only while it trains" * layer.training_only for layer in shown],
            "Output": [times(layer.shape) for layer in shown],
            "Parameters": [layer.parameters for layer in shown],
            "Multiply-adds": [layer.multiply_adds for layer in shown],
            "Receptive field": pd.array([layer.receptive_field for layer in shown], dtype="Int64"),
            "Activation (kB)": [layer.activation_bytes / 1000 for layer in shown],
        }
    )
    number_column = st.column_config.NumberColumn
    st.dataframe(
        table,
        hide_index=True,
        height=presenter.grown(TABLE_HEIGHT) if len(shown) > 11 else "content",
        placeholder="all",
        key=f"layers-{number}-{block}",
        column_config={
            "Parameters": number_column(format="localized", help=meaning("parameters")),
            "Multiply-adds": number_column(format="localized", help=meaning("multiply-adds")),
            "Receptive field": number_column(
                format="localized", help=f"In pixels a side. {meaning('receptive field')}"
            ),
            "Activation (kB)": number_column(
                format="%.1f",
                help="Memory of its output for one image, in float32; training keeps it until it has the gradients.",
            ),
        },
        alt="Layers of the network",
    )
    return None if block == ALL else block


def draw_differences(configs, costs):
    """A table of what differs between two networks."""
    words = [dict(each) for each in costs]
    for config, said in zip(configs, words, strict=True):
        entry = NETWORKS[config.network]
        said["year"] = str(entry["year"])
        said["image size"] = f"{config.image_size} pixels"
        said |= {
            about.partition(",")[0]: "yes" if trait in entry["traits"] else "no" for trait, about in TRAITS.items()
        }
    same = [label for label, value in words[0].items() if words[1][label] == value]
    differing = [label for label in words[0] if label not in same]
    st.markdown("### What differs")
    table = pd.DataFrame(
        {
            NETWORKS[config.network]["label"]: [said[label] for label in differing]
            for config, said in zip(configs, words, strict=True)
        },
        index=[label[0].upper() + label[1:] for label in differing],
    )
    st.table(table)


def draw_costs(dataset, networks, rows, problems):
    """The bubble chart of all runs on a dataset that were evaluated.

    Args:
        dataset: which, where none is chosen here.
        networks: those that the page shows, a list.
        rows, problems: as from `data.table`.
    """
    st.header("What accuracy costs")
    labels = {name: entry["label"] for name, entry in DATASETS.items()}
    dataset = linked(
        st.segmented_control,
        "Runs on",
        "costs",
        labels,
        dataset,
        st.container(),
        required=True,
        help="As above, unless you choose another here.",
    )
    for sentence in problems:
        st.warning(plain(sentence), icon=":material/broken_image:")
    rows, found = rows[rows["dataset"] == dataset].to_dict("records"), []
    runs = [data.runs_by_id()[row["run"]] for row in rows]
    for row, config, name in zip(rows, data.configs(runs), data.names(runs), strict=True):
        counted = size(config)
        found.append(
            {
                "network": config.network,
                "name": name,
                "multiply_adds": counted.multiply_adds,
                "parameters": counted.parameters,
                "accuracy": row["test_accuracy"],
                "low": row["test_accuracy_low"],
                "high": row["test_accuracy_high"],
                "seconds": row["seconds"],
            }
        )
    if not found:
        st.info(f"No network has been trained on {DATASETS[dataset]['label']} yet; runs on it will appear here.")
        link_to_training()
        return
    st.caption(
        f"Every evaluated run on {DATASETS[dataset]['label']}: to the right is more arithmetic, a larger circle has "
        "more parameters. The bars are 95 % intervals. No cheaper run was as good as those along the dashed line."
        + " The networks along the line and those chosen above are named; point at any other circle for its name."
        * (len({row["network"] for row in found}) > ALL_NAMED)
    )
    draw_cost(pd.DataFrame(found), f"cost-{dataset}", networks)


follow_inner_links()
st.title("Networks")
st.write(
    "Every network of this lab, from the first that read digits to one of a thousand layers: what each added, what it "
    "is made of, and what it costs."
)
st.html(STYLE)
st.header("The road")
st.caption(
    "The winners of the ImageNet contest, in 2014 the best two: the share of test images whose class was not among "
    "their five first guesses. Click a network in the chart or below it. Under a network's name is the test accuracy "
    "of its best runs here."
)
draw_milestones("milestones", lambda network: put_in_url(network=network, block=None))
tested = data.nameable_runs()
rows, problems = data.table(tested)
chosen = st.container()
st.header("Layer by layer")
network, beside, dataset, side = choose()
with chosen:
    draw_road(results.best_runs(data.seeds_together(tested)[0]), "", (network, beside))
configs = [config_of(name, dataset, side) for name in (network, beside) if name]
found = [layers(config) for config in configs]
costs = [facts(*each) for each in zip(configs, found, strict=True)]
if beside:
    draw_differences(configs, costs)
for number, column in enumerate(st.columns(len(configs), gap="large")):
    with column:
        draw_network(configs[number], found[number], costs[number], number, alone=not beside)
draw_costs(dataset, [name for name in (network, beside) if name], rows, problems)
