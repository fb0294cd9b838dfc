"""The open tile of the image grid and the address belong together: ?image=123 opens a test image, and whoever opens one
has its link. An open tile also says what every other run takes the image for.
"""

import html
from pathlib import Path

import streamlit as st

from core.datasets.catalogue import DATASETS
from core.runs.run import RunError
from pages.parts import data
from pages.parts.charts.curves import short_names
from pages.parts.linked import put_in_url
from pages.parts.style import percent

_KEY = "open image"
_component = st.components.v2.component(
    "open_image",
    # The gap above the images leaves room for the navigation, under which they would otherwise be scrolled.
    css="""
.st-key-open-image { display: none; }
.st-key-images { scroll-margin-top: 4rem; }
""",
    js=Path(__file__).with_suffix(".js").read_text("utf-8"),
    isolate_styles=False,
)


def image_in_url(images):
    """The number of the test image that the URL names, below `images`; None where it names none, with a sentence where
    it names something else.
    """
    for value in st.query_params.get_all("image")[-1:]:
        if value.isdecimal() and len(value) < 9 and int(value) < images:
            return int(value)
        st.warning(
            f"The link's image is not one from 0 to {images - 1:,}, so it is ignored.", icon=":material/link_off:"
        )
    return None


def follow_open_image(image, page, cell, aside):
    """Opens the tile of an image, or none, and puts into the URL which one is opened; after `draw_cases`.

    Args:
        image: the number of the open image, or None.
        page: the page of the grid that is shown, from 1.
        cell: a text that changes with the chosen cell of the matrix: then the images are scrolled into view.
        aside: HTML that the open image shows besides, such as `predictions_of_others`.
    """
    here = None if page == 1 else page

    def opened():
        number = str(st.session_state[_KEY].opened)
        put_in_url(**({"image": number} if number.isdecimal() else {"page": here}))

    def run_chosen():
        put_in_url(run=str(st.session_state[_KEY].run), image=image, epoch=None)

    with st.container(key="open-image"):
        _component(
            key=_KEY,
            data={
                "image": "" if image is None else str(image),
                "others": "" if image is None else aside,
                "cell": cell,
            },
            on_opened_change=opened,
            on_run_change=run_chosen,
        )


def predictions_of_others(run, image, networks=()):
    """What each run of the networks, or of all, that was tested on the same images as this one takes one of them for,
    as HTML.
    """
    dataset, found = data.config(run).dataset, []
    for other in data.nameable_runs():
        try:
            config = data.config(other)
            if networks and config.network not in networks and other != run:
                continue
            if config.dataset == dataset and data.metrics(other) and image < len(data.verdicts(other).classes):
                found.append((other, config, data.verdicts(other)))
        except RunError:
            continue  # Among the damaged files, which other pages name.
    names = short_names([other for other, *_ in found], [config for _, config, _ in found], with_dataset=False)
    classes = DATASETS[dataset]["classes"]
    rows, right = [], 0
    for (other, _, verdicts), name in zip(found, names, strict=True):
        label, predicted, confidence = (part[image] for part in verdicts)
        right += int(label == predicted)
        mark, kind = ("✓", "right") if label == predicted else ("×", "wrong")
        rows.append(
            f'<a data-run="{html.escape(other.id)}" href="?run={html.escape(other.id)}&amp;image={image}"'
            f"{' aria-current=true' * (other == run)}><b>{html.escape(name)}</b>"
            f'<span class="{kind}">{mark} {html.escape(classes[predicted])}</span>'
            f"<span>{percent(float(confidence), 1)}</span></a>"
        )
    return f"<p>Recognised by {right} of {len(found)} runs</p>{''.join(rows)}"
