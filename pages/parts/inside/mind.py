"""Change its mind: what an image can be changed by, what the networks then say, and how little is enough."""

import base64
import html
from pathlib import Path

import pandas as pd
import streamlit as st

from core.digits.strokes import DrawingError
from core.explain.perturbations import (
    CHANGES,
    GRID,
    KINDS,
    MOST_PAIRS,
    PAIRS,
    changed,
    curve,
    erased_in_address,
    in_address,
    smallest_flips,
)
from core.runs.run import RunError
from pages.parts import presenter
from pages.parts.charts.vega import category, layer, over, quantity
from pages.parts.inside.network import kept_answer
from pages.parts.linked import linked, linked_many, linked_slider, linked_switch, put_in_url
from pages.parts.style import GREY, TEXT, percent, plain
from pages.parts.unlike import is_unlike, warn_of_unlike
from pages.parts.urls import address_with

_HEIGHT = 400
_HTML = """
<div class="eraser">
  <div class="paper"><canvas tabindex="0" role="application" aria-describedby="how"
    aria-label="The changed image: erase with mouse, pen, finger or keyboard"></canvas>
    <i class="cursor" aria-hidden="true"></i></div>
  <span class="how" id="how">The arrow keys move the brush. Space erases.</span>
  <p>Erase with the brush: drag over the image.</p>
</div>
"""
_component = st.components.v2.component(
    "eraser",
    html=_HTML,
    css=Path(__file__).with_name("eraser.css").read_text("utf-8"),
    js=Path(__file__).with_name("eraser.js").read_text("utf-8"),
)
_STYLE = """<style>
.flips { border-collapse: collapse; font-size: .9rem; }
.flips :is(th, td) { text-align: left; padding: .3rem 1.2rem .3rem 0; vertical-align: baseline;
  border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.flips-scroll { overflow-x: auto; }
</style>"""


@st.fragment
def draw_mind(networks, looked, hidden):
    """Draws the sliders and what comes of them.

    Args:
        networks: a list of pages.parts.inside.network.Network whose networks are here.
        looked: a pages.parts.inside.choice.Looked.
        hidden: whether the answers are not shown yet.
    """
    st.header("Change its mind")
    st.caption(
        "Move, turn, blur or erase the image, and see when each network takes it for something else. The address keeps "
        "every change."
    )
    notices = st.container()
    try:
        left, right = st.columns([1, 2], gap="large")
        with right:
            amounts, mirrored = _choose_amounts(notices)
        erased = _erased(looked.image.shape[:2], notices)
        now = changed(looked.image, amounts, mirrored, erased)
        with left:
            _draw_eraser(now, erased)
            if amounts or mirrored or erased is not None:
                st.button("Undo all changes", icon=":material/undo:", on_click=put_in_url, kwargs=_ALL_BACK)
        if hidden:
            st.info("What the networks say is hidden until you reveal it.", icon=":material/visibility_off:")
            return
        before = [network.classifies(looked.image) for network in networks]
        after = [network.classifies(now) for network in networks]
        with left:
            for network, was, is_ in zip(networks, before, after, strict=True):
                _draw_guess(network, was, is_)
            if (now != looked.image).any():
                warn_of_unlike("This image", unlike(networks, now))
        _draw_curve(networks, looked.image, (amounts, mirrored, erased), before, after, notices)
        _draw_flips(networks, looked.image, notices)
    except RunError as error:
        st.error(plain(str(error)))


def unlike(networks, image):
    """Those of the networks to which an image is unlike the test images, what each is called -> its run."""
    return {
        network.label: network.run
        for network in networks
        if is_unlike(network.run, network.opened().last_features(image[None])[0])
    }


_ALL_BACK = dict.fromkeys((*CHANGES, "mirror", "erased"))


def _choose_amounts(notices):
    """The sliders: (name -> amount, of those that change something; whether the image is mirrored)."""
    amounts, columns = {}, st.columns(2, gap="medium")
    for number, (name, change) in enumerate(CHANGES.items()):
        with columns[number % 2]:
            amount = linked_slider(change.label, name, change.low, change.high, change.neutral, notices)
        if amount != change.neutral:
            amounts[name] = amount
    return amounts, linked_switch("Mirror", "mirror", notices)


def _erased(sides, notices):
    """Which pixels the URL says are erased, bool (height, width), or None."""
    text = st.query_params.get("erased")
    if not text:
        return None
    try:
        return erased_in_address(text, sides)
    except DrawingError as error:
        notices.warning(str(error), icon=":material/link_off:")
        return None


def _draw_eraser(image, erased):
    key = "eraser"

    def told():
        # A text, as it goes into the URL; what is no mask is said there to be none.
        put_in_url(erased=str(st.session_state[key].erased) or None)

    height, width, channels = image.shape
    _component(
        key=key,
        data={
            "sides": [height, width, channels],
            "pixels": base64.b64encode(image.tobytes()).decode(),
            "erased": "" if erased is None else "".join(map(str, erased.astype(int).ravel().tolist())),
        },
        on_erased_change=told,
    )


def _draw_guess(network, before, after):
    was, now = int(before.argmax()), int(after.argmax())
    said = f"{network.classes[now]}, {percent(float(after[now]), 1)} sure"
    if was != now:
        said += f" (it was {network.classes[was]})"
    st.html(
        f'<h3 class="inside-name"><i style="background:{network.colour}"></i>{html.escape(network.label)} '
        f"<small>{html.escape(said)}</small></h3>"
    )


def _draw_curve(networks, image, change, before, after, notices):
    """The probability of classes over all amounts of one change, for each network."""
    amounts = change[0]
    labels = {name: each.label for name, each in CHANGES.items()}
    classes = {str(number): name for number, name in enumerate(networks[0].classes)}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        over_ = linked(st.selectbox, "Curves over", "over", labels, "rotate", notices, width=presenter.grown(240))
        chosen = linked_many(
            "Classes, or what the networks say", "curves", classes, list(classes), notices, most_buttons=len(classes)
        )
    shown = [int(number) for number in chosen] or list(dict.fromkeys(int(row.argmax()) for row in [*before, *after]))
    steps, rows = CHANGES[over_].amounts, []
    for number, network in enumerate(networks):
        name = f"{network.label}, beside" * bool(number) or network.label
        found = _kept_curve(network, image, change, over_)
        for class_ in shown:
            rows += [
                {"amount": step, "percent": 100 * float(share), "network": name, "class": network.classes[class_]}
                for step, share in zip(steps, found[:, class_], strict=True)
            ]
    names = list(dict.fromkeys(row["network"] for row in rows))
    colours = [network.colour for network in networks]
    if len(set(colours)) < len(colours):
        colours[1] = GREY
    amount = amounts.get(over_, CHANGES[over_].neutral)
    chart = {
        **over(pd.DataFrame(rows)),
        "height": _HEIGHT,
        "layer": [
            layer(
                "line",
                {
                    "x": quantity("amount", title=labels[over_], scale={"nice": False}, axis={"tickCount": 9}),
                    "y": quantity("percent", title="Probability (%)", scale={"domain": [0, 100]}),
                    # Beside the curves, they would leave them no room on a phone.
                    "color": category(
                        "network",
                        title="Network",
                        scale={"domain": names, "range": colours},
                        legend={"orient": "top", "titleOrient": "left", "columns": 2},
                    ),
                    "strokeDash": category(
                        "class",
                        title="Class",
                        sort=None,
                        legend={"orient": "bottom", "titleOrient": "left", "columns": 3},
                    ),
                    "tooltip": [
                        category("network", title="Network"),
                        category("class", title="Class"),
                        quantity("amount", title=labels[over_]),
                        quantity("percent", title="Probability (%)", format=".1f"),
                    ],
                },
            ),
            layer("rule", {"x": {"datum": amount}}, color=TEXT, strokeDash=[2, 3], aria=False),
        ],
    }
    said = ", ".join(networks[0].classes[class_] for class_ in shown)
    st.vega_lite_chart(presenter.vega(chart), alt=f"Probability of {said} over “{labels[over_]}”, for each network.")


def _draw_flips(networks, image, notices):
    """The smallest change of each kind that changes each network's first guess, as links."""
    wanted = linked_switch(
        "Find the smallest change that flips each network",
        "flips",
        notices,
        help="Each kind of change by itself, and two pairs of them, applied to the unchanged image.",
    )
    if not wanted:
        return
    found = [_flips(network, image) for network in networks]
    heads = "".join(f"<th scope='col'>{html.escape(network.label)}</th>" for network in networks)
    rows = "".join(
        f"<tr><th scope='row'>{html.escape(label)}</th>"
        + "".join(
            f"<td>{_flip(network, kind, flips[kind])}</td>" for network, flips in zip(networks, found, strict=True)
        )
        + "</tr>"
        for kind, label in KINDS.items()
    )
    st.html(
        f"{_STYLE}<div class='flips-scroll' tabindex='0' role='region' aria-label='Smallest changes'>"
        f"<table class='flips'><thead><tr><th scope='col'>Change</th>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        "</div>"
    )
    steps = ", ".join(f"{change.label} {change.step}" for change in CHANGES.values())
    st.caption(
        "How it is searched. Of each slider, amounts a step apart from the smallest on, and then every whole number "
        f"within the step before the first that flips the network; a step is: {steps}. Of squares, every size at "
        f"{GRID}×{GRID} positions, and smaller ones around the first that flips it; they get the colour of the edge. "
        "Of pairs, those that are fewer steps away, in a straight line, than the smallest change of either kind alone: "
        f"the {MOST_PAIRS} nearest."
    )


def _flip(network, kind, flip):
    if flip is None:
        return "none smaller than one change alone" if kind in PAIRS else "never"
    changes = {name: str(amount) for name, amount in flip.amounts.items()}
    changes |= {"over": next(iter(changes), None), "mirror": "true" if flip.mirrored else None}
    changes["erased"] = None if flip.erased is None else in_address(flip.erased)
    link = address_with(**_ALL_BACK | changes)
    said = f"{flip.words}: {network.classes[flip.number]}".replace("-", "−")
    return f'<a class="inner" target="_self" href="inside{html.escape(link)}">{html.escape(said)}</a>'


def _kept_curve(network, image, change, name):
    amounts, mirrored, erased = change
    others = {key: amount for key, amount in amounts.items() if key != name}
    question = "curve", name, str(others), mirrored, image, erased
    return kept_answer(network, question, lambda: curve(network.opened(), image, others, name, mirrored, erased))


def _flips(network, image):
    def make():
        bar = st.progress(0.0, f"{network.label} is asked about every change…")
        try:
            return smallest_flips(network.opened(), image, bar.progress)
        finally:
            bar.empty()

    return kept_answer(network, ("flips", image), make)
