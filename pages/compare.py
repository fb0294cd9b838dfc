"""Compare: every run's figures in one table beside the report's, and the chosen runs' curves over one another."""

import base64
import contextlib
import dataclasses
import datetime
import html
import itertools

import streamlit as st

from core.config.recipes import RECIPES
from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from core.results import table as results
from core.results.baseline import against
from core.results.reference import TEST_IMAGES
from core.results.seeds import are_several, ids, mean_history
from core.runs.run import Run, RunError, artifacts_folder
from core.settings import read_only
from pages.parts import data, presenter
from pages.parts.charts.curves import PANELS, curves_figure, explanations, looks, short_names, told_apart
from pages.parts.compare.calibration import draw_calibration
from pages.parts.compare.images import draw_images
from pages.parts.compare.pack import draw_pack, pack_button
from pages.parts.compare.settings import draw_settings
from pages.parts.glossary import help_on
from pages.parts.inner_links import follow_inner_links
from pages.parts.linked import linked, linked_many, linked_switch, put_runs_in_url
from pages.parts.run.table import columns_of_runs, columns_to_draw, draw_table
from pages.parts.shell import begin_page
from pages.parts.starting import link_to_training, start
from pages.parts.style import GREY, plain, points
from pages.parts.urls import runs_in_url

begin_page()

EPOCHS = {"best": "Best epoch", "last": "Last epoch", "published": "As published"}
SCALES = {"linear": "Linear", "log": "Logarithmic"}
FILTERS = {
    "network": ("Network", NETWORKS),
    "dataset": ("Dataset", DATASETS),
    "recipe": ("Recipe", RECIPES),
}
# So many networks' curves are still told apart at a glance.
MOST_LEADERS = 4
# What the URL says -> what the widget says: what is shown of the ticked runs.
LOOKS = {
    "curves": "Curves",
    "images": "Image by image",
    "calibration": "Calibration",
    "settings": "Settings that differ",
}
# What the URL says -> what the widget says: whether runs that differ in nothing but the seed are one row.
SEEDS = {"together": "Together", "apart": "One by one"}
MORE_SEEDS = 3
REPORT = "report"
MARKS = {"circle": "●", "diamond": "◆", "square": "■", "triangle-up": "▲", "cross": "✚", "star": "★"}
# Of lines in the legend: as SVG dashes them.
SOLID, DOTTED = "none", "2.5,4"
LEGEND_STYLE = """
.meanings { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; font-size: .875rem; }
.meanings img, .curve img { vertical-align: middle; margin-right: .6rem; }
.curves { display: grid; grid-template-columns: auto auto 1fr; gap: .75rem 1.5rem; }
.curves > div { display: grid; grid-template-columns: subgrid; grid-column: 1 / -1; align-items: center; }
.curves a { color: inherit; text-decoration-color: color-mix(in srgb, currentColor 35%, transparent); }
.curves a:is(:hover, :focus-visible) { text-decoration-color: currentColor; }
.curves small { position: absolute; clip-path: inset(50%); white-space: nowrap; width: 1px; overflow: hidden; }
@media (max-width: 640px) { .curves .curve { grid-column: 1 / -1; } }
"""
FACTS = """
- Every loss contains the network's L2 penalty, here as in the report: a small loss at high accuracy is mostly that.
- Label smoothing, where a recipe has it, is in the training loss only, not in the validation and test losses.
- Training accuracy and loss are measured while training, with dropout on and on shifted and flipped images, as in the
  report; that is why they can be worse than the validation's.
- The report's training and validation figures are its last epoch's; its test figures are its best epoch's.
- The best epoch is the one with the lowest validation loss, as in the report; under the modern recipe, whose smoothed
  labels spoil that measure, the one with the highest validation accuracy.
- Differences are ours minus the report's; those in accuracy are in points, 1 point being 1 % of the images. Each row is
  compared with the report alone, by Newcombe's interval. The accuracy's own interval is Wilson's.
- A row of several runs has their means. They differ in nothing but the seed: initial weights, order and augmentation.
  The interval over seeds (Student's t) says how far the mean is known, on these very test images; the other intervals
  say how far other test images might move it.
- Validation accuracies can be compared between runs with as many validation images, which are then the same ones.
- Training time is that of the epochs, with their validation. Time in all also has starting up, the predictions on test
  images after each epoch, the evaluation and saving; runs from before it was recorded show none.
- The report's training time is its epochs times the seconds an epoch that its logs show, on a GPU rented in 2020. The
  column “Trained on” and `python -m core runs` say what ours were trained on.
- The CSV file has the same units with full precision, named in its headings: accuracies in percent (`…_percent`), their
  differences in points (`…_points`), losses in nats (`…_nats`), times in seconds.
"""
INTERVAL = (
    f"The report was measured on {TEST_IMAGES:,} test images, as our runs were, so a difference between them is known "
    "only up to its 95 % interval; where that contains zero, there is no clear difference."
)

PAIRED = (
    "Both runs saw the same test images, so they are compared by those that only one of them gets right: McNemar's "
    "exact test gives the verdict, and the 95 % interval is of the difference. Of last epochs only the accuracies are "
    "known."
)


def choose(rows, ticked):
    """The switches above the table; their values are in the URL. Returns (which, report, whether runs that differ in
    nothing but the seed are one row, the id of the run that all are compared with or None for the report, column ->
    chosen names). `ticked`: the runs that may be compared with, besides the one that the URL names.
    """
    notices = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chosen = {}
        for column, (label, registry) in FILTERS.items():
            labels = {name: entry["label"] for name, entry in registry.items()}
            chosen[column] = linked_many(label, column, labels, set(rows[column]), notices)
        which = linked(st.segmented_control, "Figures of the", "epoch", EPOCHS, "best", notices, required=True)
        # Where no run has a second seed there is nothing to choose.
        seeds = (
            "together"
            if not are_several(rows)
            else linked(st.segmented_control, "Seeds", "seeds", SEEDS, "together", notices, required=True)
        )
        named = [run for run in st.query_params.get_all("baseline") if run in set(rows["run"])]
        offered = dict.fromkeys([*(run.id for run in ticked), *named])
        labels = {REPORT: "The report"} | {run: data.name(Run(artifacts_folder() / run)) for run in offered}
        baseline = linked(
            *(st.selectbox, "Differences from", "baseline", labels, REPORT, notices),
            help="The report, or a ticked run: then all others on its dataset are compared with it, image by image.",
            width=presenter.grown(260),
        )
        report = linked_switch("Report's figures and differences", "report", notices)
    return which, report, seeds == "together", None if baseline == REPORT else baseline, chosen


def fitting(rows, wanted):
    """Those of the rows that have one of the chosen names, where any are chosen; column -> names."""
    for column, names in wanted.items():
        if names:
            rows = rows[rows[column].isin(names)]
    return rows.reset_index(drop=True)


def compared(rows, which, baseline):
    """The rows with their differences from a run, of the same epoch; as they are where it is None for the report."""
    if not baseline or not any(baseline in ids(row) for row in rows["run"]):
        return rows

    def right_of(run):
        # The single predictions are the best epoch's, of which the published test figures are too.
        if which == "last":
            return None
        with contextlib.suppress(RunError):
            verdicts = data.verdicts(Run(artifacts_folder() / run))
            return verdicts.labels == verdicts.classes

    return against(rows, baseline, right_of)


def draw_rows(rows, which, report, chosen, baseline):
    """The table; its ticks are the chosen runs, those in the URL, of which the filters may hide some. `baseline`: the
    id of the run that the differences are from, or None for the report.
    """
    with st.container(horizontal=True, vertical_alignment="center", key="above-table"):
        # Above the table's right end, where its own buttons appear under the pointer, stands nothing that is clicked.
        st.download_button(
            "Download CSV",
            # Made when it is asked for: thousands of rows take a moment.
            lambda: results.as_csv(rows, columns_of_runs(report)),
            file_name=f"runs-{which}-epoch{f'-from-{baseline}' if baseline else ''}.csv",
            mime="text/csv",
            on_click="ignore",
            icon=":material/download:",
            type="tertiary",
        )
        pack_button(chosen)
        st.caption("Tick rows to draw their curves.")
    draw_pack(chosen)
    runs_of = [ids(row) for row in rows["run"]]
    named = [run.id for run in chosen]
    # In the order of the URL. A row of several runs is ticked where the URL names all of them.
    ticked = sorted(
        (position for position, runs in enumerate(runs_of) if set(runs) <= set(named)),
        key=lambda position: min(map(named.index, runs_of[position])),
    )
    shown = {run for position in ticked for run in runs_of[position]}
    hidden = [run for run in chosen if run.id not in shown]
    key = f"table-{which}-{report}-{baseline}-{hash(tuple(rows['run']))}"
    if st.session_state.get(key, {}).get("selection", {}).get("rows") != ticked:
        st.session_state[key] = {"selection": {"rows": ticked, "columns": [], "cells": []}}

    def follow_ticks():
        positions = st.session_state[key]["selection"]["rows"]
        now = [Run(artifacts_folder() / run) for position in positions for run in runs_of[position]]
        put_runs_in_url(hidden + now)

    groups = {}
    if baseline:
        run = Run(artifacts_folder() / baseline)
        (name,) = short_names([run], [data.config(run)])
        groups = {results.DIFFERENCE: f"Difference from {name}"}
    draw_table(
        *(rows, columns_to_draw(rows, report), groups, what_differs(rows)),
        key=key,
        on_select=follow_ticks,
        alt="Runs and their figures",
    )
    if hidden:
        st.caption(
            "These are drawn below, although no row above is of them alone: "
            + ", ".join(short_names(hidden, [data.config(run) for run in hidden]))
            + "."
        )
    st.caption(PAIRED if baseline else INTERVAL)


def what_differs(rows):
    """For each row what tells it from others of its network, dataset and recipe, "" where there is no other."""
    every = data.runs_by_id()
    runs = [every[ids(row)[0]] for row in rows["run"]]
    configs = data.configs(runs)
    kinds = [(config.network, config.dataset, config.recipe) for config in configs]
    # Some are told apart by the day, which is called otherwise on the next.
    of = [datetime.date.today(), *zip(runs, configs, strict=True)]
    return data.made_of(of, "what differs", lambda: told_apart(kinds, runs, configs))


def leading_runs(best):
    """A dataset, and the best runs on it: the first dataset that has any, one run a network, few enough to be told
    apart.
    """
    leaders = results.best_runs(best)
    dataset = next(dataset for dataset in DATASETS if any((network, dataset) in leaders for network in NETWORKS))
    found = [leaders[network, dataset] for network in NETWORKS if (network, dataset) in leaders]
    # The best by validation, which alone may choose, in the catalogue's order.
    bar = sorted((row["validation_accuracy"] for row in found), reverse=True)[:MOST_LEADERS][-1]
    found = [row for row in found if row["validation_accuracy"] >= bar][:MOST_LEADERS]
    return dataset, [Run(artifacts_folder() / run) for row in found for run in ids(row["run"])]


def flattery(best, last):
    """What the choice of the epoch makes of the figures, in a sentence; the same rows of both epochs."""
    by_run = last.set_index("run").loc[best["run"]].reset_index()

    def mean(rows, part, others, other):
        return points(float((rows[f"{part}_accuracy"] - others[f"{other}_accuracy"]).mean()))

    return (
        f"Means over these {len(best)} rows: the best epoch's test accuracy less the last one's is "
        f"{mean(best, 'test', by_run, 'test')} points. As published, test figures are the best epoch's, but training "
        f"and validation the last one's: {mean(by_run, 'train', best, 'train')} and "
        f"{mean(by_run, 'validation', best, 'validation')} points beside what the tested network itself reached."
    )


def draw_chosen(rows, best, report, chosen):
    """What is shown of the ticked runs, or of the leading ones where none is ticked."""
    notices = st.container()
    look = linked(st.segmented_control, "Look at", "look", LOOKS, "curves", notices, required=True)
    st.header(LOOKS[look])
    about = ""
    if not chosen:
        dataset, chosen = leading_runs(best)
        about = (
            f"The best run of each network on {DATASETS[dataset]['label']}. Tick rows of the table to choose others."
        )
    groups = groups_of(chosen, rows)
    if look == "curves":
        draw_curves(groups, report, about)
        return
    if about:
        st.caption(about)
    # Those are of single runs, and of the settings of several seeds, which are the same.
    draw = {"images": draw_images, "calibration": draw_calibration, "settings": draw_settings}[look]
    draw(groups if look == "settings" else [run for group in groups for run in group])


def groups_of(runs, rows):
    """The runs in groups that are one row of the table each, in the order of their first ones; each is a list."""
    row_of = {run: number for number, row in enumerate(rows["run"]) for run in ids(row)}
    groups = {}
    for run in runs:
        # A run that the choices above hide stands for itself.
        groups.setdefault(row_of.get(run.id, run.id), []).append(run)
    return list(groups.values())


def draw_curves(groups, report, about=""):
    """The curves of groups of runs, what each is drawn like, and where else to look at it; `about`: which these are."""
    drawn, histories = [], []
    for group in groups:
        found = {}
        for run in group:
            # What cannot be read is said above, among the damaged files.
            with contextlib.suppress(RunError):
                found[run] = data.history(run)
        if found:
            drawn.append(list(found))
            histories.append(mean_history(list(found.values())) if len(found) > 1 else next(iter(found.values())))
    configs = [data.config(group[0]) for group in drawn]
    names = short_names([group[0] for group in drawn], configs, seeds=list(map(len, drawn)))
    notices = st.container()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.caption(about)
        scale = linked(
            st.segmented_control, "Scale", "scale", SCALES, "linear", notices, width="content", required=True
        )
    cut = False
    for column, panel in zip(st.columns(len(PANELS), gap="medium"), PANELS, strict=True):
        figure, left_out = curves_figure(panel, names, configs, histories, report, scale)
        column.plotly_chart(presenter.plotly(figure), config={"displaylogo": False}, key=f"curves-{panel}-{scale}")
        cut |= left_out
    classes = [len(DATASETS[config.dataset]["classes"]) for config in configs]
    said = explanations(configs, histories, classes)
    if cut:
        said.append("The first epochs reach beyond the charts; a double-click on one shows all of it.")
    if any(len(group) > 1 for group in drawn):
        said.append(
            "A line of several seeds is their mean, over the epochs that all of them have; its band reaches from the "
            "lowest to the highest."
        )
    if said:
        st.caption(" ".join(said), help=help_on(" ".join(said)))
    meanings = {"training": SOLID, "validation": looks(configs[:1])[0].dash} if drawn else {}
    if report:
        meanings["report's last validation"] = DOTTED
    samples = "".join(f"<span>{line_samples([(GREY, dash)])}{words}</span>" for words, dash in meanings.items())
    st.html(f"<style>{LEGEND_STYLE}</style><div class='meanings'>{samples}</div>")
    draw_legend(drawn, configs, names)
    if not read_only() and drawn:
        offer_seeds(drawn, configs)


def draw_legend(groups, configs, names):
    """What each is drawn like, and where else to look at it. One piece of HTML, as a hundred may be drawn."""
    lines = ""
    for group, name, look in zip(groups, names, looks(configs), strict=True):
        sample = line_samples([(look.colour, SOLID), (look.colour, look.dash)], look.mark)
        run = group[0]
        if len(group) > 1:
            several = "&amp;".join(f"run={each.id}" for each in group)
            places = {"Single runs": f"compare?seeds=apart&amp;{several}"}
        else:
            places = {
                "Gallery": f"gallery?run={run.id}",
                "Settings and log": f"train?run={run.id}&amp;details=settings",
            }
        links = "".join(
            f"<a class='inner' target='_self' href='{address}'>{what}<small> of {html.escape(name)}</small></a>"
            for what, address in places.items()
        )
        lines += f"<div role='listitem'><span class='curve'>{sample}{html.escape(name)}</span>{links}</div>"
    st.html(f"<div class='curves' role='list'>{lines}</div>")


def offer_seeds(groups, configs):
    """A button that trains what is drawn with further seeds, where that is one thing."""
    if len(groups) > 1:
        st.caption("To train more seeds of one of these, tick it alone.")
        return
    help = "A run's result is one draw. Several seeds show how far it is from what others would get."
    (name,) = short_names(groups[0][:1], configs)
    if st.button(f"Train {MORE_SEEDS} more seeds of {name}", icon=":material/casino:", help=help):
        started = list(filter(None, map(start, next_seeds(configs[0]))))
        if started:
            st.switch_page("pages/train.py", query_params={"run": [run.id for run in started]})


def next_seeds(config):
    """The config with the first few seeds that no run has yet."""
    taken = {
        other.seed
        for other in map(data.config, data.nameable_runs())
        if dataclasses.replace(other, seed=config.seed) == config
    }
    free = (seed for seed in itertools.count() if seed not in taken)
    return [dataclasses.replace(config, seed=seed) for seed in itertools.islice(free, MORE_SEEDS)]


def line_samples(lines, mark=None):
    """Short lines under one another, each a (colour, dash as SVG has it), with a mark on them: an image in HTML."""
    width, height = 44, 8 * len(lines)
    drawn = "".join(
        f"<path d='M0 {8 * number + 4}h{width}' stroke='{colour}' stroke-width='2.5' stroke-dasharray='{dash}'/>"
        for number, (colour, dash) in enumerate(lines)
    )
    if mark:
        drawn += (
            f"<text x='{width / 2}' y='{height / 2 + 5}' text-anchor='middle' fill='{lines[0][0]}'>{MARKS[mark]}</text>"
        )
    size = f"width='{presenter.grown(width)}' height='{presenter.grown(height)}' viewBox='0 0 {width} {height}'"
    picture = f"<svg xmlns='http://www.w3.org/2000/svg' {size}>{drawn}</svg>"
    return f'<img alt="" src="data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}">'


st.title("Compare")
follow_inner_links()
runs, problems = data.readable_runs()
(best, unread) = data.table(runs)
named = runs_in_url()
for sentence in dict.fromkeys(problems + unread):
    st.warning(plain(sentence), icon=":material/broken_image:")
for run in named:
    if "metrics.json" not in data.damaged_files(run) and data.metrics(run) is None:
        st.info(f"{run.id} has no results yet. The Train page shows how far it is.", icon=":material/hourglass_top:")
if best.empty:
    st.markdown("No run is finished yet. Until then, this is what the report reached.")
    link_to_training()
    report = results.report_table()
    draw_table(report, list(report), alt="The report's figures")
    st.stop()
tested = set(best["run"])
chosen = [run for run in named if run.id in tested]
which, report, joined, baseline, wanted = choose(best, chosen)
read = data.seeds_together if joined else data.table
rows = fitting(compared(read(runs, which)[0], which, baseline), wanted)
best = fitting(read(runs, "best")[0], wanted)
if rows.empty:
    st.info("No run fits these choices. Remove one of them.", icon=":material/filter_alt_off:")
else:
    draw_rows(rows, which, report, chosen, baseline)
    if which != "best":
        st.caption(flattery(*(fitting(read(runs, name)[0], wanted) for name in ("best", "last"))))
    with st.expander("What the figures contain"):
        st.markdown(FACTS, help=help_on(FACTS))
if chosen or not rows.empty:
    draw_chosen(rows, best, report, chosen)
