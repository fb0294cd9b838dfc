"""Inside: what each layer of a network makes of an image, from its pixels to the prediction."""

import html

import streamlit as st

from core.runs.run import RunError
from pages.parts import data, presenter
from pages.parts.glossary import help_on
from pages.parts.inner_links import follow_inner_links
from pages.parts.inside.choice import choose_image, choose_runs, tested_runs
from pages.parts.inside.convolution import draw_convolution
from pages.parts.inside.filmstrip import draw_filmstrip
from pages.parts.inside.looks import METHODS, draw_look
from pages.parts.inside.mind import draw_mind, unlike
from pages.parts.inside.network import Network
from pages.parts.inside.stored import draw_stored
from pages.parts.linked import linked, linked_number, linked_slider, linked_switch, put_in_url
from pages.parts.map.placed import link_to_map
from pages.parts.shell import begin_page
from pages.parts.starting import link_to_training
from pages.parts.style import percent, plain
from pages.parts.unlike import warn_of_unlike

begin_page()

NONE, GUESS = "none", "guess"
# Of the network and of the one beside it: the label of the list of its layers, and its name in the URL.
LAYERS = (("All maps of layer", "stage"), ("All maps of a layer beside", "stage_beside"))
STRIP = (
    "From left to right, what becomes of the image: its pixels, the preprocessing that is part of the network, the "
    "augmentation of its training, its first filters, the strongest maps after each block, the last features, and the "
    "prediction. Point at a map for its range and its receptive field; a click enlarges it."
)
STEPS = (
    "A filter slides over the image. At each position its weights are multiplied with the pixels under them, and the "
    "products are added up: one value of the map."
)
STYLE = """<style>
.inside-name { font-size: 1.15rem; margin: 0; padding: .3rem 0 0; }
.inside-name i { display: inline-block; width: .8rem; height: .8rem; border-radius: 50%; margin-right: .4rem; }
.inside-name small { font-size: .85rem; font-weight: 400; margin-left: .3rem; }
</style>"""


def true_class(networks, looked):
    """The number of the image's class, where one of the runs was tested on it; else None."""
    if looked.number is None:
        return None
    for network in networks:
        labels = data.verdicts(network.run).labels
        if looked.number < len(labels):
            return int(labels[looked.number])
    return None


def draw_name(network, looked, label, hidden):
    """A network's name and, unless it is hidden, what it takes the image for."""
    shares = network.says(looked)
    if shares is None:
        said = f"was not asked about {looked.words}"
    elif hidden:
        said = "says ?"
    else:
        guess = int(shares.argmax())
        said = f"says {network.classes[guess]}, {percent(float(shares[guess]), 1)} sure"
        if label is not None:
            said += ": right" if guess == label else f": wrong, it is {network.classes[label]}"
    st.html(
        f'<h3 class="inside-name"><i style="background:{network.colour}"></i>{html.escape(network.name)} '
        f"<small>{html.escape(said)}</small></h3>"
    )


def choose_frames(networks, notices):
    """What stands above the filmstrips; returns the number of the random versions, and of each network the key of the
    layer that is shown with all its maps, or NONE.
    """
    st.header("Filmstrip")
    st.caption(STRIP, help=help_on(STRIP))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        draws = linked_number(
            "Augmentation",
            "draws",
            0,
            999,
            0,
            notices,
            width=presenter.grown(150),
            help="Each number shows three other random versions of the image, as training may have seen it.",
        )
        return draws, [choose_layer(network, notices) if network.is_here else NONE for network in networks]


def draw_strips(networks, looked, label, hidden, notices):
    """The filmstrips of all networks under one another, and the predictions of those that are not here."""
    if any(network.is_here for network in networks):
        draws, opened = choose_frames(networks, notices)
    else:
        st.header("Predictions")
        draws, opened = 0, [NONE] * len(networks)
    for network, stage in zip(networks, opened, strict=True):
        draw_name(network, looked, label, hidden)
        try:
            if network.is_here:
                if looked.number is None and not hidden:
                    warn_of_unlike(f"{looked.words[0].upper()}{looked.words[1:]}", unlike([network], looked.image))
                name = LAYERS[network.number][1]
                draw_filmstrip(
                    network, looked.image, draws, stage, hidden, lambda key, name=name: put_in_url(**{name: key})
                )
            else:
                draw_stored(network, looked, hidden)
        except RunError as error:
            st.error(plain(str(error)))


def choose_layer(network, notices):
    """A list of all the network's layers with maps; returns the key of the chosen Stage, or NONE."""
    label, name = LAYERS[network.number]
    try:
        stages = [stage for stage in network.opened().stages if stage.has_maps]
    except RunError:
        return NONE  # The strip says why.
    choices = {NONE: "None"} | {stage.key: f"{stage.key}: {stage.layer.words}" for stage in stages}
    return linked(st.selectbox, label, name, choices, NONE, notices, width=presenter.grown(320))


def draw_steps(networks, looked, notices):
    """The first convolution of one of the networks, step by step."""
    st.header("One convolution, step by step")
    st.caption(STEPS, help=help_on(f"Convolution. {STEPS}", before=STRIP))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        network = networks[0]
        if len(networks) > 1:
            labels = {"first": networks[0].label, "second": networks[1].label}
            which = linked(st.segmented_control, "Network", "steps", labels, "first", notices, required=True)
            network = networks[list(labels).index(which)]
        try:
            first = network.opened().first_layer()
        except RunError as error:
            st.error(plain(str(error)))
            return
        if first is None:
            st.info(f"{network.label} does not begin with a convolution that can be shown.")
            return
        count = len(first.kernels)
        filter_ = linked_number(
            "Filter", "filter", 0, count - 1, 0, notices, width=presenter.grown(150), help=f"There are {count}."
        )
    draw_convolution(network, looked.image, filter_)


@st.fragment
def draw_looks(networks, looked, hidden):
    """Where the networks look, for any class."""
    st.header("Where it looks")
    notices = st.container()
    classes = {GUESS: "Its first guess"} | {str(number): name for number, name in enumerate(networks[0].classes)}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        labels = {name: label for name, (label, _) in METHODS.items()}
        method = linked(
            st.segmented_control, "Heat map", "heat", labels, "activation", notices, required=True, wrap=True
        )
        chosen = linked(
            st.selectbox,
            "For the class",
            "class",
            classes,
            GUESS,
            notices,
            width=presenter.grown(200),
            help="Choose another class to ask: why not that one?",
        )
        strength = linked_slider("Strength (%)", "strength", 0, 100, 65, notices, step=5, width=presenter.grown(220))
    for network, column in zip(networks, st.columns(len(networks), gap="large"), strict=True):
        with column:
            try:
                shares = network.says(looked)
                number = int(shares.argmax()) if chosen == GUESS else int(chosen)
                draw_name_of_look(network, number, shares, hidden)
                draw_look(network, looked.image, number, method, strength, hidden, chosen == GUESS)
            except RunError as error:
                st.error(plain(str(error)))


def draw_name_of_look(network, number, shares, hidden):
    """The network, and how probable the class is to it."""
    said = "?" if hidden else f"{network.classes[number]}: {percent(float(shares[number]), 1)}"
    st.html(
        f'<h3 class="inside-name"><i style="background:{network.colour}"></i>{html.escape(network.label)} '
        f"<small>{html.escape(said)}</small></h3>"
    )


def main():
    follow_inner_links()
    st.title("Inside")
    st.write("What a network makes of an image, layer by layer, where it looks, and what changes its mind.")
    st.html(STYLE)
    tested = tested_runs()
    notices = st.container()
    if not tested:
        st.info("Nothing to look into yet: this page opens a trained network.")
        link_to_training()
        return
    networks = [Network(run, number) for number, run in enumerate(choose_runs(tested))]
    looked = choose_image(networks[0].config.dataset, notices)
    if looked is None:
        return
    label = true_class(networks, looked)
    hidden = hide(networks, looked, label, notices)
    draw_strips(networks, looked, label, hidden, notices)
    here = [network for network in networks if network.is_here]
    if here:
        draw_steps(here, looked, notices)
        draw_looks(here, looked, hidden)
        draw_mind(here, looked, hidden)


def hide(networks, looked, label, notices):
    """What is looked at, in words, with the switch that hides the answer and the ways to the networks' maps; returns
    whether it is hidden.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        hidden = st.query_params.get("hidden") == "true"
        said = "" if label is None else ": **?**" if hidden else f": **{plain(networks[0].classes[label])}**"
        st.markdown(f"{looked.words[0].upper()}{looked.words[1:]}{said}", width="content")
        hidden = linked_switch(
            "Hide the answer", "hidden", notices, help="For asking people first: what it is, and what the networks say."
        )
        if hidden:
            st.button("Reveal", icon=":material/visibility:", on_click=put_in_url, kwargs={"hidden": None})
        for network in networks:
            link_to_map(network.run, network.label, looked.address | ({"hidden": "true"} if hidden else {}))
    return hidden


main()
