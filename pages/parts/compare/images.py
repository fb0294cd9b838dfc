"""The ticked runs image by image: which test images one gets right and another does not."""

import html

import numpy as np
import pandas as pd
import streamlit as st

from core.datasets.catalogue import DATASETS, DOUBTED
from core.datasets.loading import DatasetUnavailable
from core.results.paired import by_who_errs, compare
from core.runs.run import RunError
from pages.parts import data
from pages.parts.charts.curves import looks, short_names
from pages.parts.image_grid import png_address
from pages.parts.inner_links import look_inside
from pages.parts.linked import linked_page
from pages.parts.scorecard import VERDICTS
from pages.parts.style import percent, plain, points
from pages.parts.urls import address_with

# So many columns of marks are still told apart, and so many rows read.
MOST_RUNS, MOST_SETS = 6, 16
PAGE_SIZE = 60
_NONE = "0"
_STYLE = """<style>
.who { display: grid; gap: 2px 1rem; grid-template-columns: repeat(var(--runs), minmax(4.5rem, max-content)) 5rem 1fr;
  align-items: center; font-size: .875rem; }
.who > * { display: grid; grid-template-columns: subgrid; grid-column: 1 / -1; align-items: center; color: inherit;
  text-decoration: none; padding: .3rem .5rem; border-radius: .4rem; }
.who > a:hover { background: color-mix(in srgb, currentColor 8%, transparent); }
.who > a[aria-current] { background: color-mix(in srgb, currentColor 14%, transparent); font-weight: 600; }
.who .head b { border-bottom: .25rem solid var(--network); padding-bottom: .2rem; overflow-wrap: anywhere; }
.who .count { text-align: right; font-variant-numeric: tabular-nums; }
.who .bar { height: .7rem; border-radius: .2rem; background: color-mix(in srgb, currentColor 55%, transparent); }
@media (max-width: 640px) { .who-scroll { overflow-x: auto; } .who { gap: 2px .5rem;
  grid-template-columns: repeat(var(--runs), minmax(3.6rem, max-content)) 3rem minmax(2rem, 1fr); }
  .who > * { padding-inline: .25rem; } .who .head { font-size: .75rem; } }
.pairwise { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(6.5rem, 1fr)); }
.pairwise a { color: inherit; text-decoration: none; font-size: .8125rem; line-height: 1.4; }
.pairwise .look-inside { text-decoration: underline; }
.pairwise a:hover b { text-decoration: underline; }
.pairwise img { width: 100%; image-rendering: pixelated; border-radius: .3rem; display: block; margin-bottom: .25rem; }
.pairwise span { display: block; border-left: .25rem solid var(--network); padding-left: .4rem; margin-top: 1px; }
.pairwise em { display: block; font-style: normal; font-weight: 600; }
</style>"""


def draw_images(runs):
    """Who of the runs gets which test images wrong; the runs of the first one's dataset, and the first few of them."""
    shown, verdicts, left_out = _comparable(runs)
    if len(shown) < 2:
        st.info(
            "Tick two rows or more of one dataset to compare them image by image: which test images one gets right and "
            "another does not.",
            icon=":material/checklist:",
        )
        return
    configs = [data.config(run) for run in shown]
    names = short_names(shown, configs, with_dataset=False)
    right = np.array([each.labels == each.classes for each in verdicts])
    _draw_pairs(names, right)
    colours = [look.colour for look in looks(configs)]
    sets = {(): np.flatnonzero(right.all(axis=0))} | by_who_errs(right)
    chosen = _chosen(sets, len(shown))
    _draw_sets(names, colours, sets, chosen)
    if left_out:
        st.caption(left_out)
    _draw_set(shown, names, colours, verdicts, sets.get(chosen, np.array([], int)), chosen, configs[0].dataset)


def _comparable(runs):
    """(the runs that were tested on the same images as the first, their Verdicts, a sentence about those left out)."""
    shown, verdicts, others = [], [], 0
    for run in runs:
        try:
            found = data.verdicts(run)
        except RunError as error:
            st.warning(plain(str(error)), icon=":material/broken_image:")
            continue
        first = shown[0] if shown else run
        same = data.config(run).dataset == data.config(first).dataset and np.array_equal(
            found.labels, data.verdicts(first).labels
        )
        if same and len(shown) < MOST_RUNS:
            shown.append(run)
            verdicts.append(found)
        else:
            others += 1
    why = f"Left out of the ticked runs: {others}, tested on other images or beyond the first {MOST_RUNS}."
    return shown, verdicts, why if others else ""


def _draw_pairs(names, right):
    """Each pair's difference, by the images that only one of the two gets right."""
    rows = []
    for first in range(len(names)):
        for second in range(first + 1, len(names)):
            found = compare(right[first], right[second])
            rows.append((names[first], names[second], found))
    if len(rows) == 1:
        ((first, second, found),) = rows
        images = found.both + found.only_first + found.only_second + found.neither
        word = VERDICTS[found.verdict][0].split(" ", 1)[1].lower()
        st.markdown(
            f"Of {images:,} test images **{first}** alone is right on {found.only_first:,}, **{second}** alone on "
            f"{found.only_second:,}; both on {found.both:,}, neither on {found.neither:,}. Difference "
            f"{points(found.difference)} points, 95 % interval {points(found.low)} to {points(found.high)}; McNemar's "
            f"exact test: p = {_p(found.p)}, {word}.",
            help="McNemar's test asks whether the images that only one of two gets right are divided more unevenly "
            "than a coin would divide them. Images that both get right, or both wrong, do not tell which is better.",
        )
        return
    table = pd.DataFrame(
        [
            {
                "Run": first,
                "Compared with": second,
                "Alone right": found.only_first,
                "Other alone right": found.only_second,
                "Difference (points)": 100 * found.difference,
                "95 % from": 100 * found.low,
                "95 % to": 100 * found.high,
                "p": found.p,
                "Verdict": VERDICTS[found.verdict][0],
            }
            for first, second, found in rows
        ]
    )
    signed = st.column_config.NumberColumn(format="%+.2f")
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        column_config={
            **dict.fromkeys(("Difference (points)", "95 % from", "95 % to"), signed),
            "p": st.column_config.NumberColumn(format="%.3g", help="McNemar's exact test, of each pair alone."),
        },
        alt="Each pair of the ticked runs, image by image",
    )


def _p(value):
    return "less than 0.0001" if value < 0.0001 else f"{value:.2g}"


def _chosen(sets, count):
    """The set that the URL names (?who=13: the first and the third get them wrong); else all runs, else the largest."""
    said = st.query_params.get("who", "")
    named = () if said == _NONE else tuple(int(digit) - 1 for digit in said if digit.isdecimal())
    if said and (said == _NONE or named) and all(0 <= position < count for position in named):
        return tuple(sorted(set(named)))
    if said:
        st.warning("The link's set of runs is not one of these, so it is ignored.", icon=":material/link_off:")
    everyone = tuple(range(count))
    return everyone if everyone in sets else max(sets, key=len)


def _draw_sets(names, colours, sets, chosen):
    """A row for each set of runs that alone get some images wrong, with its number of images; a click shows them."""
    everyone = tuple(range(len(names)))
    ordered = [*([everyone] if everyone in sets else []), *(who for who in sets if who and who != everyone)]
    shown = ordered[:MOST_SETS]
    if chosen and chosen not in shown:
        shown.append(chosen)
    most = max((len(sets[who]) for who in shown if who in sets), default=1)
    heads = "".join(
        f"<b style='--network:{colour}'>{html.escape(name)}</b>" for name, colour in zip(names, colours, strict=True)
    )
    lines = f"<div class='head'>{heads}<span class='count'>Images</span></div>"
    for who in [*shown, ()]:
        images = len(sets.get(who, ()))
        marks = "".join(f"<span>{'× wrong' if at in who else '✓ right'}</span>" for at in range(len(names)))
        width = 0 if not who else 100 * images / most
        says = "".join(str(at + 1) for at in who) or _NONE
        lines += (
            f"<a class='inner' target='_self' href='{html.escape(address_with(who=says, page=None))}'"
            f"{' aria-current=true' * (who == chosen)}>{marks}<span class='count'>{images:,}</span>"
            f"<span class='bar' style='width:{width:.1f}%'></span></a>"
        )
    st.html(f"{_STYLE}<div class='who-scroll'><div class='who' style='--runs:{len(names)}'>{lines}</div></div>")
    if len(ordered) > MOST_SETS:
        st.caption(f"The {MOST_SETS} largest of {len(ordered)} sets.")


def _draw_set(runs, names, colours, verdicts, images, chosen, dataset):
    """The images that exactly these runs get wrong."""
    classes = DATASETS[dataset]["classes"]
    wrong = [names[position] for position in chosen]
    everyone = len(chosen) == len(names)
    who = "none of them gets" if not wrong else "all of them get" if everyone else f"only {' and '.join(wrong)} get"
    who += "s" if len(wrong) == 1 and not everyone else ""
    st.subheader(f"{len(images):,} test images that {who} wrong", anchor=False)
    doubted = np.isin(images, DOUBTED[dataset])
    if doubted.any():
        st.caption(
            f"{doubted.sum()} of these have a label that people doubt: of five who were asked, fewer than three called "
            "it the only right one (Northcutt et al. 2021)."
        )
    if not len(images):
        return
    try:
        pixels = data.test_images(dataset)
    except DatasetUnavailable as error:
        st.error(str(error))
        return
    # Those whose labels are doubted come first.
    images = np.concatenate([images[doubted], images[~doubted]])
    page, draw_pager = linked_page(-(-len(images) // PAGE_SIZE))
    # One that gets them wrong beside one that does not, where there are both.
    ordered = sorted(range(len(runs)), key=lambda position: position not in chosen)
    inside = [runs[position].id for position in dict.fromkeys((ordered[0], ordered[-1 if chosen else 1]))]
    tiles = ""
    for image in images[(page - 1) * PAGE_SIZE : page * PAGE_SIZE].tolist():
        predicted = "".join(
            f"<span style='--network:{colour}' title='{html.escape(name)}, "
            f"{percent(float(each.confidences[image]), 0)} sure'>{html.escape(classes[each.classes[image]])}</span>"
            for name, colour, each in zip(names, colours, verdicts, strict=True)
        )
        truth = html.escape(classes[verdicts[0].labels[image]])
        doubt = "<em>label doubted</em>" if image in DOUBTED[dataset] else ""
        tiles += (
            f"<div><a class='inner' target='_self' href='gallery?run={runs[0].id}&amp;show=all&amp;image={image}'>"
            f"<img alt='Test image {image}, {truth}' src='{png_address(pixels[image])}'><b>{truth}</b>"
            f"{doubt}{predicted}</a>{look_inside(image, inside)}</div>"
        )
    st.html(f"<div class='pairwise'>{tiles}</div>")
    with st.container(horizontal=True, horizontal_alignment="right"):
        draw_pager("image by image")
