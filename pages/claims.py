"""Claims: what the report says of its networks, each tested by runs that anybody can start again."""

import html
import math

import streamlit as st

from core.jobs.estimate import estimate
from core.results import claims as results
from core.runs.run import UNFINISHED, RunError
from core.settings import read_only
from pages.parts import data, presenter
from pages.parts.glossary import help_on
from pages.parts.inner_links import follow_inner_links
from pages.parts.linked import linked
from pages.parts.refreshing import refreshing
from pages.parts.shell import begin_page
from pages.parts.starting import start
from pages.parts.style import duration, heard, plain

begin_page()

REFRESH_SECONDS = 5
# What the page calls each verdict, and its colour in the light and in the dark theme.
VERDICTS = {
    results.HOLDS: ("✓ Holds", "#0B7A4B", "#56D39B"),
    results.FAILS: ("× Does not hold", "#B3344F", "#F58BA0"),
    results.OPEN: ("? Cannot be told yet", "#3D5A80", "#9DB8DA"),
}
STYLE = """<style>
.claim h2 { font-size: 1.25rem; line-height: 1.35; margin: 0 0 .25rem; padding: 0; text-wrap: pretty; }
.claim .verdict { display: inline-block; font-weight: 600; padding: .15rem .7rem; border-radius: 1rem;
  color: light-dark(var(--light), var(--dark)); font-size: .9375rem;
  background: color-mix(in srgb, light-dark(var(--light), var(--dark)) 12%, transparent); }
.claim p { margin: .5rem 0; max-width: 48rem; line-height: 1.5; }
.claim .source { opacity: .8; font-size: .875rem; margin-left: .75rem; }
.claim .effects { display: grid; grid-template-columns: minmax(10rem, auto) minmax(10rem, 20rem) 1fr;
  gap: .3rem 1.25rem; align-items: center; font-size: .875rem; margin-top: .75rem; }
.claim .effects > div { display: grid; grid-template-columns: subgrid; grid-column: 1 / -1; align-items: center; }
.claim .picture { position: relative; height: 2.6rem; overflow: hidden;
  background: linear-gradient(color-mix(in srgb, currentColor 30%, transparent) 0 0) 0 calc(.955rem - var(--axis) / 2) /
  100% var(--axis) no-repeat; }
.claim .picture i { position: absolute; top: .25rem; height: 1.4rem; }
.claim .picture .claimed { background: color-mix(in srgb, currentColor 12%, transparent); }
.claim .picture .bound { border-left: var(--axis) dashed currentColor; margin-left: calc(var(--axis) / -2); }
.claim .picture .bound b { position: absolute; top: 1.4rem; transform: translateX(-50%); font: 400 .75rem/1.1 inherit;
  font-size: .75rem; font-weight: 400; font-style: normal; }
.claim .picture .interval { height: .55rem; top: .68rem; border: solid light-dark(var(--light), var(--dark));
  border-width: 0 var(--end);
  background: linear-gradient(light-dark(var(--light), var(--dark)) 0 0) center / 100% var(--interval) no-repeat; }
.claim .picture .effect { width: .7rem; height: .7rem; top: .6rem; border-radius: 50%; transform: translateX(-50%);
  background: light-dark(var(--light), var(--dark)); }
.claim small { display: block; opacity: .8; font-size: .8125rem; }
@media (max-width: 640px) { .claim .effects { grid-template-columns: 1fr; }
  .claim .effects > div { padding-bottom: .75rem; } }
</style>"""
# The lines of the pictures above, in pixels.
LINES = {"axis": 1, "end": 2, "interval": 3}
# What takes longer than a day is asked first.
ASKED_FROM_SECONDS = 24 * 3600
ONE_SEED = (
    "<p><small>One seed tells nothing of how much two trainings differ: its interval is about the test images "
    "alone.</small></p>"
)
ABOUT = (
    "Each claim of the report is tested by runs that share everything but the one thing that it speaks of. How it is "
    "judged stands in its card, and was written down before anybody looked. With one seed two runs are compared image "
    "by image (McNemar), with several by Student's interval over the seeds; a claim holds where all its comparisons do."
)


def trained():
    """RunConfig -> the newest finished run that has it, and the configs of those that train or wait."""
    runs = data.nameable_runs()
    found = list(zip(runs, data.states(runs), data.configs(runs), strict=True))
    return data.made_of(found, "trained", lambda: _trained(found))


def _trained(found):
    finished, on_the_way = {}, set()
    for run, state, config in found:
        if state == "completed":
            finished.setdefault(config, run)
        elif state in UNFINISHED:
            on_the_way.add(config)
    return finished, on_the_way


def figures_of(finished):
    """A function of a RunConfig, for `core.results.claims.judge`."""

    def find(config):
        if config not in finished:
            return None
        try:
            return data.claim_figures(finished[config])
        except RunError:
            return None  # Among the damaged files, which other pages name.

    return find


def picture(found):
    """The effect with its interval, over the bounds that are claimed, as HTML."""
    comparison = found.comparison
    bounds = [bound for bound in (comparison.at_least, comparison.at_most) if bound is not None]
    known = [value for value in (found.effect, found.low, found.high) if not math.isnan(value)]
    low, high = min(bounds + known), max(bounds + known)
    room = (high - low or 1) * 0.35
    low, high = low - room, high + room

    def at(value):
        return 100 * (value - low) / (high - low)

    def span(kind, start, end):
        return f"<i class='{kind}' style='left:{at(start):.2f}%;width:{at(end) - at(start):.2f}%'></i>"

    least = low if comparison.at_least is None else comparison.at_least
    most = high if comparison.at_most is None else comparison.at_most
    drawn = span("claimed", least, most)
    drawn += "".join(f"<i class='bound' style='left:{at(bound):.2f}%'><b>{bound:g}</b></i>" for bound in bounds)
    if len(known) == 3:
        drawn += span("interval", found.low, found.high)
    if known:
        drawn += f"<i class='effect' style='left:{at(found.effect):.2f}%'></i>"
    _, light, dark = VERDICTS[found.verdict]
    says = f"{comparison.label()}: {results.effect_in_words(found)}; claimed is {comparison.bounds()}"
    return (
        f"<div class='picture' role='img' aria-label='{html.escape(says)}' style='--light:{light};--dark:{dark}'>"
        f"{drawn}</div>"
    )


def draw_claim(claim, scale, finished, on_the_way, speeds):
    """One card: the sentence, how it is tested, what came of it, and what is missing."""
    verdict, found = results.judge(claim, scale, figures_of(finished))
    if not found:
        return
    words, light, dark = VERDICTS[verdict]
    effects = "".join(
        f"<div><span>{html.escape(one.comparison.label())}</span>{picture(one)}"
        f"<span>{html.escape(results.effect_in_words(one))}<small>Claimed: {html.escape(one.comparison.bounds())}"
        "</small></span></div>"
        for one in found
    )
    with st.container(border=True):
        source = f"<span class='source'>{html.escape(claim.source)}</span>" if claim.source else ""
        st.html(
            f"<div class='claim' style='--light:{light};--dark:{dark}'><h2>{html.escape(claim.text)}</h2>"
            f"<span class='verdict'>{words}</span>{source}<p>{html.escape(claim.how)}</p>"
            f"<div class='effects'>{effects}</div>{ONE_SEED if knows_one_seed(found) else ''}</div>"
        )
        draw_runs(claim, scale, found, finished, on_the_way, speeds)


def knows_one_seed(found):
    """Whether one of the intervals is that of a single seed."""
    return any(one.seeds == 1 and not math.isnan(one.low) for one in found)


def draw_runs(claim, scale, found, finished, on_the_way, speeds):
    """The way to the runs that it rests on, and a button that trains those that are missing."""
    needed = dict.fromkeys(
        config for one in found for seed in range(results.SEEDS) for config in one.comparison.configs(scale, seed)
    )
    there = [finished[config] for config in needed if config in finished]
    lacking = [config for config in results.missing(found) if config not in on_the_way]
    waiting = sum(config in on_the_way for config in needed)
    said = [f"{len(there)} of {len(needed)} runs are there"]
    if waiting:
        said.append("1 trains or waits" if waiting == 1 else f"{waiting} train or wait")
    seconds = sum(estimate(config, speeds).seconds for config in lacking)
    if lacking:
        are = "is" if len(lacking) == 1 else "are"
        said.append(f"{len(lacking)} {are} missing, which takes about {duration(seconds)} here")
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key=f"claim-runs-{claim.name}"):
        st.caption(", ".join(said) + ".", width="content")
        if there:
            st.page_link(
                "pages/compare.py",
                label=f"Compare them{heard(f': {claim.text}')}",
                icon=":material/table_chart:",
                query_params={"run": [run.id for run in there]},
            )
        if lacking and not read_only():
            draw_training(claim, lacking, seconds, f"train {claim.name} {scale}")


def draw_training(claim, lacking, seconds, key):
    """The button that trains the missing runs; where they take long, it asks first."""
    count = "the missing run" if len(lacking) == 1 else f"the {len(lacking)} missing runs"
    label, icon = f"Train {count}{heard(f'of the claim: {claim.text}')}", ":material/play_arrow:"
    if seconds > ASKED_FROM_SECONDS:
        runs = f"{len(lacking)} run{'s' * (len(lacking) > 1)}"
        # A dialog would close as soon as the page is drawn again, which it is every few seconds while anything trains.
        with st.popover(label, icon=icon, key=f"ask {key}"):
            st.markdown(
                f"Train **{runs}** here? They take about **{duration(seconds)}** on this machine, one after another. "
                "Whatever is started later waits for them. Each can be cancelled on the Train page."
            )
            asked = st.button(f"Queue {runs}", key=key, type="primary")
    else:
        asked = st.button(label, key=key, icon=icon)
    if asked:
        for config in lacking:
            start(config)
        st.rerun()


def draw_all(scale, watching):
    """Every claim as the disk has it now. `watching`: this is redrawn every few seconds, while anything trains."""
    finished, on_the_way = trained()
    if watching and not on_the_way:
        st.rerun()
    found, wrong = results.claims()
    for sentence in wrong:
        st.warning(plain(sentence), icon=":material/rule:")
    speeds = data.speeds(data.nameable_runs())
    for claim in found:
        draw_claim(claim, scale, finished, on_the_way, speeds)


st.title("Claims")
follow_inner_links()
widths = "".join(f"--{name}: {presenter.line(pixels)}px; " for name, pixels in LINES.items())
st.html(f"{STYLE}<style>.claim {{ {widths}}}</style>")
st.markdown(ABOUT, help=help_on(" ".join([ABOUT, *(claim.how for claim in results.claims()[0])])))
notices = st.container()
scales = {name: entry["label"] for name, entry in results.SCALES.items()}
scale = linked(st.segmented_control, "Scale", "scale", scales, "quick", notices, required=True)
st.caption(
    f"Tested {results.SCALES[scale]['about']}, with {results.SEEDS} seeds. What holds at one scale need not hold "
    "at the other, and runs of the two are never mixed.",
    help=help_on(results.SCALES[scale]["about"]),
)
watching = bool(data.unfinished_runs())
refreshing(lambda: draw_all(scale, watching), REFRESH_SECONDS if watching else None)
