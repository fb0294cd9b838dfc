"""Making a pack: which runs go in, what is made of them, and the zip."""

import base64
import contextlib
import functools
import io
import zipfile
from html import escape
from pathlib import Path

from PIL import Image

from core import files
from core.datasets.catalogue import DATASETS
from core.datasets.test_images import load_test_images
from core.export import FORMATS
from core.jobs.machine import code_version
from core.networks.catalogue import NETWORKS
from core.pack import ALL, NAME, documents, figures, forms, tables
from core.palette import NETWORK_COLOURS
from core.results import claims, seeds
from core.results import table as results
from core.results.reference import NETWORKS_OF_REPORT, REPORT
from core.results.scores import confusion_matrix
from core.runs.run import RunError, list_runs, open_run

# What a run is known by: its settings and environment, its curves, its figures and what people noted of it.
_OF_RUN = FORMATS["tables"].files
_REQUIREMENTS = Path(__file__).parents[2] / "requirements.txt"
# No pack has a day: the earliest that a zip can name.
_DAY = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16
_PACKED = (".png", ".pdf")


def make(folder, names=None, tell=lambda share, words: None):
    """Makes a pack. What the lab holds stays as it is.

    Args:
        folder: where it goes, a Path; made if it is not there. A pack that is there already is replaced.
        names: ids of finished runs; "all" in place of them for all; None for the run that speaks for each pair, with
            all its seeds.
        tell: called again and again with how much is done, 0..1, and what is made next.

    Returns:
        The path of the zip.

    Raises:
        core.runs.run.RunError: there are no such runs, a file of one is damaged, or the folder cannot be written.
        core.datasets.loading.DatasetUnavailable: the test images cannot be had.
    """
    groups, path = _groups(names), Path(folder) / NAME
    try:
        # Before the work, which takes a while.
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.replacing(path) as new:
            new.touch()
            _write(new, _contents(groups, tell))
            tell(1, "Done")
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror or error}.") from None
    return path


def _groups(names):
    """The runs that go in, those that differ in nothing but the seed together: a list of tables.Group, without their
    cases; in the order of the report's tables, and other networks after its own.
    """
    runs = list_runs()
    if names and list(names) != [ALL]:
        named = set(map(open_run, names))
        # In the same order, whatever the order in which they are named.
        runs = [run for run in runs if run in named]
        for run in runs:
            if run.read_metrics() is None:
                raise RunError(f"{run.id} has no results yet; train it to its end first.")
    by_id = {run.id: run for run in runs}
    rows = {which: results.table(runs, which) for which in results.CHECKPOINTS}
    best, problems = rows["best"]
    if names and problems:
        raise RunError(problems[0])
    if best.empty:
        raise RunError("No run is finished yet, so there is nothing to pack: python -m core train alexnet mnist")
    together = {which: seeds.together(found) for which, (found, _) in rows.items()}
    chosen = together["best"].to_dict("records")
    if not names:
        chosen = list(results.best_runs(together["best"]).values())
    found = []
    for row in chosen:
        of_row = sorted((by_id[run] for run in seeds.ids(row["run"])), key=lambda run: (run.read_config().seed, run.id))
        of_checkpoints = {
            which: next(other for other in table.to_dict("records") if other["run"] == row["run"])
            for which, table in together.items()
        }
        histories = [run.read_history() for run in of_row]
        history = seeds.mean_history(histories) if len(histories) > 1 else histories[0]
        found.append(tables.Group(tuple(of_row), of_row[0].read_config(), of_checkpoints, history, {}))
    return sorted(found, key=_position)


def _position(group):
    network, dataset = group.pair
    return list(DATASETS).index(dataset), network not in NETWORKS_OF_REPORT, list(NETWORKS).index(network)


def _contents(groups, tell):
    """Path in the zip -> (its bytes, what it holds)."""
    found, drawn = {}, {}
    steps = _Steps(tell, len(groups) + sum(len(group.runs) for group in groups) + 2)

    def add(path, picture, alt, about, inside=None):
        for kind, content in picture.files.items():
            found[f"{path}.{kind}"] = content, about
        drawn[path] = inside or figures.described(picture, alt)

    matrices, complete = [], []
    for group in groups:
        steps.next(f"{group.label}: curves and cases")
        _draw_curves(group, group.key, group.history, add)
        complete.append(_draw_cases(group, add))
        for run in group.runs:
            steps.next(f"{group.label}: confusion matrix")
            if len(group.runs) > 1:
                _draw_curves(group, run.id, run.read_history(), add)
            shown = _draw_matrix(group, run, add)
            if run == group.runs[0]:
                matrices.append(shown)
            _copy(run, f"runs/{run.id}", found)
    steps.next("Claims and tables")
    groups, pictured = complete, _draw_differences(complete, add)
    claimed, evidence = _claims(found, {run for group in groups for run in group.runs})
    contents = documents.Contents(
        version=code_version(),
        groups=groups,
        joint=tables.verdicts(groups),
        tables=_tables(groups),
        claims=claimed,
        evidence=evidence,
        drawn=drawn,
        matrices=matrices,
        differences=pictured,
    )
    for folder, several in (("tables", contents.tables), ("claims", contents.claims)):
        for table in several:
            what = f"{table.title}: {table.caption}" if table.number else table.caption
            found[f"{folder}/{table.name}.tex"] = forms.as_latex(table).encode(), f"{what}, for LaTeX"
            found[f"{folder}/{table.name}.md"] = forms.as_markdown(table).encode(), f"{what}, in Markdown"
            found[f"{folder}/{table.name}.csv"] = table.csv.encode(), f"{what}: its figures, units in the headings"
    steps.next("The report")
    _add_whole(found, contents)
    return found


class _Steps:
    """Tells how many of so many steps are done."""

    def __init__(self, tell, count):
        self._tell, self._count, self._done = tell, count, 0

    def next(self, words):
        self._tell(self._done / self._count, words)
        self._done += 1


def _add_whole(found, contents):
    """Adds what is about all of the pack."""
    runs = contents.runs
    for which in results.CHECKPOINTS:
        rows, _ = results.table(runs, which)
        text = results.as_csv(rows, list(results.COLUMNS))
        found[f"runs/runs_{which}.csv"] = text.encode(), f"all figures of each run, with the weights called {which}"
    found["report.html"] = documents.report_html(contents).encode(), "the whole report for a browser, in one file"
    found["report.tex"] = documents.report_tex(contents).encode(), "the whole report for LaTeX"
    found["commands.sh"] = documents.commands(contents).encode(), "the commands that train the runs again"
    with contextlib.suppress(FileNotFoundError):
        found["requirements.txt"] = _REQUIREMENTS.read_bytes(), "the libraries that this version of the lab uses"
    about = {path: what for path, (_, what) in found.items()}
    found["README.md"] = documents.readme(contents, about).encode(), ""


def _draw_curves(group, key, history, add):
    colour = NETWORK_COLOURS[group.config.network]
    for panel in figures.PANELS:
        report = REPORT.get(group.pair, {}).get(f"validation_{panel}")
        alt = tables.curve_alt(group._replace(history=history), panel)
        path = tables.picture_path("curves", key, panel)
        add(path, figures.curves(history, panel, colour, report), alt, f"{panel} over the epochs, {group.label}")


def _draw_matrix(group, run, add):
    """Returns (path, alt, caption)."""
    classes, predictions = DATASETS[group.config.dataset]["classes"], run.read_predictions()
    counts = confusion_matrix(predictions["logits"], predictions["labels"])
    right = int(counts.trace())
    path = tables.picture_path("matrices", run.id)
    caption = f"{group.label}, {group.about}: {right:,} of {int(counts.sum()):,} test images are right."
    worst = max(
        (
            (int(counts[row, column]), row, column)
            for row in range(len(classes))
            for column in range(len(classes))
            if row != column
        ),
        key=lambda cell: (cell[0], -cell[1], -cell[2]),
    )
    most = f"Most often {classes[worst[1]]} is taken for {classes[worst[2]]}: {worst[0]} times." * bool(worst[0])
    alt = f"Confusion matrix. {caption} {most}".strip()
    add(
        path,
        figures.matrix(counts, classes, NETWORK_COLOURS[group.config.network]),
        alt,
        f"confusion matrix, {group.label}",
    )
    return path, alt, caption


def _draw_cases(group, add):
    """Returns the group with its cases."""
    run, dataset = group.runs[0], group.config.dataset
    predictions, images = run.read_predictions(), _images(dataset)
    cases = {right: figures.cases(predictions, DATASETS[dataset]["classes"], right) for right in tables.KINDS}
    group = group._replace(cases=cases)
    for right, kind in tables.KINDS.items():
        path, alt = tables.picture_path("cases", run.id, kind), tables.cases_alt(group, right)
        inside = _cases_html(cases[right], images)
        add(path, figures.sheet(cases[right], images), alt, f"{kind} cases, {group.label}", inside)
    return group


@functools.lru_cache(1)
def _images(dataset):
    # One dataset at a time, as the groups stand by dataset.
    return load_test_images(dataset)


def _cases_html(cases, images):
    items = ""
    for case in cases:
        wrong = case.label != case.predicted
        items += (
            f'<li><img alt="Test image {case.image}" src="{_png_address(images[case.image])}">'
            f"<span>{escape(case.label)}</span><span{' class=wrong' * wrong}>→ {escape(case.predicted)}</span>"
            f"<span>{escape(figures.in_percent(case.probability))}</span></li>"
        )
    return f'<ul class="cases">{items}</ul>' if items else "<p>None.</p>"


def _png_address(image):
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _draw_differences(groups, add):
    """Returns (path, alt), or None where the report has none of these pairs."""
    compared = [group for group in groups if group.pair in REPORT]
    if not compared:
        return None
    rows = []
    for group in compared:
        row, names = group.rows["published"], ("", "_low", "_high")
        ends = [100 * row[f"test_accuracy_difference{name}"] for name in names]
        rows.append((group.label, NETWORK_COLOURS[group.config.network], *ends))
    told = "; ".join(f"{name} {tables.points(middle / 100)}" for name, _, middle, *_ in rows)
    path, alt = tables.picture_path("differences", "test-accuracy"), f"Differences in points: {told}."
    add(path, figures.differences(rows), alt, "how far ours are from the report's, with 95 % intervals")
    return path, alt


def _tables(groups):
    """The eight tables, in the report's order."""
    found = [tables.datasets_table(groups), tables.results_table(groups)]
    for dataset in DATASETS:
        here = [group for group in groups if group.config.dataset == dataset]
        found += [tables.curves_table(dataset, here), tables.cases_table(dataset, here)]
    return sorted(found, key=lambda table: table.number)


def _claims(found, packed):
    """(a table for each scale, the runs that they rest on and that are not in the pack otherwise)."""
    said, _ = claims.claims()
    finished = claims.newest_finished(list_runs())
    figures_of = claims.figures_among(finished)
    claimed, evidence = [], {}
    for scale in claims.SCALES:
        judged = []
        for claim in said:
            verdict, comparisons = claims.judge(claim, scale, figures_of)
            runs = [_evidence(one.comparison, scale, finished, figures_of) for one in comparisons]
            evidence |= dict.fromkeys(run for there in runs for run in there if run not in packed)
            if comparisons:
                judged.append((claim, verdict, comparisons, runs))
        claimed.append(tables.claims_table(scale, judged))
    for run in evidence:
        _copy(run, f"claims/runs/{run.id}", found)
    return claimed, list(evidence)


def _evidence(comparison, scale, finished, figures_of):
    """The runs that a comparison rests on: seeds of which all arms are there."""
    there = []
    for seed in range(claims.SEEDS):
        configs = comparison.configs(scale, seed)
        if all(map(figures_of, configs)):
            there += [finished[config] for config in configs]
    return there


def _copy(run, folder, found):
    """Adds what a run is known by, to the byte as it lies in its folder."""
    holds = {"config.json": "settings and environment", "history.csv": "curves", "metrics.json": "figures"}
    for name in _OF_RUN:
        with contextlib.suppress(FileNotFoundError):
            found[f"{folder}/{name}"] = (run.path / name).read_bytes(), f"{holds.get(name, 'note')} of {run.id}"


def _write(path, found):
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(found):
            entry = zipfile.ZipInfo(name, _DAY)
            entry.external_attr, entry.create_system = _READABLE, 3
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED) else zipfile.ZIP_DEFLATED
            archive.writestr(entry, found[name][0])
