"""Compare: every run's figures in one table beside the report's, and the chosen runs' curves over one another."""

import streamlit as st

from core.config.recipes import RECIPES
from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from core.results import table as results
from core.results.reference import TEST_IMAGES
from core.runs.run import Run, RunError, artifacts_folder
from pages.parts import data, presenter
from pages.parts.charts.curves import curves_figure, short_names
from pages.parts.run.table import columns_of_runs, draw_table
from pages.parts.shell import begin_page
from pages.parts.starting import link_to_training
from pages.parts.style import plain
from pages.parts.urls import put_runs_in_url, runs_in_url

begin_page()

EPOCHS = {"best": "Best epoch", "last": "Last epoch"}
FILTERS = {
    "network": ("Network", NETWORKS, "network"),
    "dataset": ("Dataset", DATASETS, "dataset"),
    "recipe": ("Recipe", RECIPES, "recipe"),
}
FACTS = """
- Every loss contains the network's L2 penalty, here as in the report: a small loss at high accuracy is mostly that.
- Label smoothing, where a recipe has it, is in the training loss only, not in the validation and test losses.
- Training accuracy and loss are measured while training, with dropout on and on shifted and flipped images, as in the
  report; that is why they can be worse than the validation's.
- The report's training and validation figures are its last epoch's; its test figures are its best epoch's.
- The best epoch is the one with the lowest validation loss, as in the report; under the modern recipe, whose smoothed
  labels spoil that measure, the one with the highest validation accuracy.
- Differences are ours less the report's; those in accuracy are in points, 1 point being 1 % of the images. Each row is
  compared with the report alone, by Newcombe's interval. The accuracy's own interval is Wilson's.
- Validation accuracies can be compared between runs with as many validation images, which are then the same ones.
- Training time is that of the epochs, with their validation. Time in all also has starting up, the predictions on test
  images after each epoch, the evaluation and saving; runs from before it was recorded show none.
- The report's training time is its epochs times the seconds an epoch that its logs show, on a GPU rented in 2020. Each
  run's `config.json` says what ours were trained on.
- The CSV file has full precision: accuracies and their differences as shares (1 point is 0.01), losses in nats, time in
  seconds.
"""
INTERVAL = (
    f"The report was measured on {TEST_IMAGES:,} test images, as our runs were, so a difference between them is known "
    "only up to its 95 % interval; where that contains zero, there is no clear difference."
)


def choose(rows):
    """The switches above the table; their values are in the URL. Networks on offer are those in `rows`. Returns
    (which, report, column -> chosen names).
    """
    there = set(rows["network"])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chosen = {
            column: st.pills(
                label,
                [name for name in names if column != "network" or name in there],
                selection_mode="multi",
                format_func=lambda name, names=names: names[name]["label"],
                key=key,
                bind="query-params",
            )
            for column, (label, names, key) in FILTERS.items()
        }
        which = st.segmented_control(
            "Figures of the",
            EPOCHS,
            default="best",
            required=True,
            format_func=EPOCHS.get,
            key="epoch",
            bind="query-params",
        )
        report = st.toggle("Report's figures and differences", key="report", bind="query-params")
    # An empty ?epoch= takes the choice away.
    return which or "best", report, chosen


def draw_rows(rows, which, report, chosen):
    """The table; its ticks are the chosen runs, those in the URL, of which the filters may hide some."""
    ids = rows["run"].tolist()
    hidden = [run for run in chosen if run.id not in ids]
    ticked = [ids.index(run.id) for run in chosen if run.id in ids]
    key = f"table-{which}-{report}-{hash(tuple(ids))}"
    if st.session_state.get(key, {}).get("selection", {}).get("rows") != ticked:
        st.session_state[key] = {"selection": {"rows": ticked, "columns": [], "cells": []}}

    def follow_ticks():
        positions = st.session_state[key]["selection"]["rows"]
        put_runs_in_url(hidden + [Run(artifacts_folder() / ids[position]) for position in positions])

    draw_table(rows, columns_of_runs(report), key=key, on_select=follow_ticks, alt="Runs and their figures")
    if hidden:
        st.caption(
            "The choices above hide these rows, which are drawn below all the same: "
            + ", ".join(short_names(hidden, [data.config(run) for run in hidden]))
            + "."
        )
    st.caption(INTERVAL)


def leading_runs(best):
    """A dataset, and each network's best run on it: the first dataset that has any."""
    leaders = results.best_runs(best)
    dataset = next(dataset for dataset in DATASETS if any((network, dataset) in leaders for network in NETWORKS))
    ids = [leaders[network, dataset]["run"] for network in NETWORKS if (network, dataset) in leaders]
    return dataset, [Run(artifacts_folder() / run_id) for run_id in ids]


def draw_curves(runs, report):
    """The runs' curves, and where else to look at each of them."""
    drawn, histories = [], []
    for run in runs:
        try:
            histories.append(data.history(run))
            drawn.append(run)
        except RunError:
            continue  # Said above, among the damaged files.
    configs = [data.config(run) for run in drawn]
    st.plotly_chart(
        presenter.plotly(curves_figure(drawn, configs, histories, report)), config={"displaylogo": False}, key="curves"
    )
    for run, name in zip(drawn, short_names(drawn, configs), strict=True):
        with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
            st.markdown(name, width=320)
            st.page_link("pages/gallery.py", label="Gallery", query_params={"run": run.id})
            st.page_link("pages/train.py", label="Settings and log", query_params={"run": run.id})


st.title("Compare")
runs, problems = data.readable_runs()
tables = {which: data.table(runs, which) for which in EPOCHS}
named = runs_in_url()
for sentence in dict.fromkeys(problems + [sentence for _, found in tables.values() for sentence in found]):
    st.warning(plain(sentence), icon=":material/broken_image:")
for run in named:
    if "metrics.json" not in data.damaged_files(run) and data.metrics(run) is None:
        st.info(f"{run.id} has no results yet. The Train page shows how far it is.", icon=":material/hourglass_top:")
best = tables["best"][0]
if best.empty:
    st.markdown("No run is finished yet. Until then, this is what the report reached.")
    link_to_training()
    report = results.report_table()
    draw_table(report, list(report), alt="The report's figures")
    st.stop()
chosen = [run for run in named if run.id in set(best["run"])]
which, report, wanted = choose(best)
rows = tables[which][0]
for column, names in wanted.items():
    if names:
        rows = rows[rows[column].isin(names)]
        best = best[best[column].isin(names)]
rows = rows.reset_index(drop=True)
if rows.empty:
    st.info("No run fits these choices. Take one of them back.", icon=":material/filter_alt_off:")
else:
    draw_rows(rows, which, report, chosen)
    st.download_button(
        "Download CSV",
        rows[columns_of_runs(report)].to_csv(index=False),
        file_name=f"runs-{which}-epoch.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
    )
    with st.expander("What the figures contain"):
        st.markdown(FACTS)
if chosen or not rows.empty:
    st.header("Curves")
    if not chosen:
        dataset, chosen = leading_runs(best)
        label = DATASETS[dataset]["label"]
        st.caption(f"Each network's best run on {label}. Tick rows of the table to choose others.")
    draw_curves(chosen, report)
