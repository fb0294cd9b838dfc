"""The report's tables with ours beside them, and the claims: what stands in them, in whatever form they are written."""

import math
from typing import NamedTuple

import pandas as pd

from core.config.recipes import RECIPES
from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from core.pack.figures import PANELS, in_percent
from core.pack.forms import Column, Picture, Row, Table
from core.results import claims
from core.results.reference import DATASETS_OF_REPORT, NETWORKS_OF_REPORT, REPORT, TEST_IMAGES
from core.results.statistics import NO_CLEAR_DIFFERENCE, joint_verdicts, wilson_interval
from core.results.table import as_csv
from core.runs.schema import SCORES

# Dataset -> the numbers of the report's tables of its curves, and of its images.
NUMBERS = {"mnist": ("4.3", "4.4"), "fashion_mnist": ("6.1", "6.3"), "cifar10": ("6.2", "6.4")}
KINDS = {True: "success", False: "fail"}
_NONE = "—"
# Columns of `core.results.table` that the CSV file of Table 4.2 has.
_IN_CSV = (
    *("network", "dataset", "recipe", "changed_settings", "seeds", "epoch", "epochs", "report_epochs"),
    *(
        f"{prefix}{score}{suffix}"
        for score in SCORES
        for prefix, suffix in (("", ""), ("report_", ""), ("", "_difference"))
    ),
    *("test_accuracy_low", "test_accuracy_high", "test_accuracy_seeds_low", "test_accuracy_seeds_high"),
    *("test_accuracy_difference_low", "test_accuracy_difference_high", "verdict", "run"),
)
_CASES = "Of each class the image that the network was surest of: its class, → the prediction, and its probability."


class Group(NamedTuple):
    """Runs that differ in nothing but the seed, and what is made of them.

    Attributes:
        runs: of core.runs.run.Run, the first one speaks where one image or one matrix is shown.
        config: the RunConfig of the first.
        rows: name of a checkpoint -> its row of `core.results.seeds.together`, a dict.
        history: of the one run, or the mean over seeds.
        cases: of core.pack.figures.Case: {True: successes, False: errors} of the first run.
    """

    runs: tuple
    config: object
    rows: dict
    history: pd.DataFrame
    cases: dict

    @property
    def pair(self):
        return self.config.network, self.config.dataset

    @property
    def network(self):
        """ "AlexNet"."""
        return NETWORKS[self.config.network]["label"]

    @property
    def label(self):
        """ "AlexNet on MNIST"."""
        return f"{self.network} on {DATASETS[self.config.dataset]['label']}"

    @property
    def about(self):
        """ "Modern recipe, precision mixed_bfloat16, 3 seeds"."""
        row = self.rows["best"]
        seeds = f"seed {self.config.seed}" if len(self.runs) == 1 else f"{len(self.runs)} seeds"
        settings = row["changed_settings"]
        return ", ".join(filter(None, (f"{RECIPES[self.config.recipe]['label']} recipe", settings, seeds)))

    @property
    def key(self):
        """What its pictures' files are called: its run, and how many seeds there are besides."""
        more = f"-and-{len(self.runs) - 1}-more-seeds" if len(self.runs) > 1 else ""
        return f"{self.runs[0].id}{more}"


def percent(share):
    return _NONE if math.isnan(share) else f"{100 * share:.2f}"


def points(share):
    return _NONE if math.isnan(share) else f"{100 * share:+.2f}".replace("-", "−")


def loss(nats, sign=""):
    return _NONE if math.isnan(nats) else f"{nats:{sign}.4f}".replace("-", "−")


def interval(low, high, written=percent):
    return "" if math.isnan(low) else f"{written(low)} to {written(high)}"


def datasets_table(groups):
    """Table 4.1: the datasets' sizes."""
    columns = (
        Column("Dataset"),
        Column(""),
        Column("Training images", align="r"),
        Column("Test images", align="r"),
        Column("Shape", align="r"),
        Column("Classes", align="r"),
        Column("Trained on", "Ours", "r"),
        Column("Validated on", "Ours", "r"),
    )
    rows, csv = [], []
    for name, entry in DATASETS.items():
        here = [group.rows["best"] for group in groups if group.config.dataset == name]
        splits = dict.fromkeys((int(row["train_images"]), int(row["validation_images"])) for row in here)
        theirs = DATASETS_OF_REPORT[name]
        ours = (entry["train_examples"], entry["test_examples"], entry["image_shape"], len(entry["classes"]))
        rows.append(Row((entry["label"], "report", *_sizes(*theirs), "", "")))
        used = ["; ".join(f"{split[part]:,}" for split in splits) or _NONE for part in range(2)]
        rows.append(Row(("", "ours", *_sizes(*ours), *used), strong=True))
        names = ("training_images", "test_images", "shape", "classes")
        facts = {"dataset": name}
        for name_of, their, our in zip(names, theirs, ours, strict=True):
            facts |= {name_of: _plain(our), f"report_{name_of}": _plain(their)}
        for part, what in enumerate(("trained_on_images", "validated_on_images")):
            facts[what] = " ".join(str(split[part]) for split in splits)
        csv.append(facts)
    return Table(
        "table_4_1",
        "4.1",
        "Number and size of the images in MNIST, Fashion-MNIST and CIFAR-10",
        columns,
        tuple(rows),
        (
            "The validation images are held back from the front of the training images. The images are checked against "
            "the checksums of the published arrays.",
        ),
        pd.DataFrame(csv).to_csv(index=False),
    )


def _sizes(train, test, shape, classes):
    return f"{train:,}", f"{test:,}", _plain(shape), f"{classes}"


def _plain(value):
    """A shape without its last side where that is one channel: the report writes it so."""
    if not isinstance(value, tuple):
        return value
    return "×".join(str(side) for side in (value[:2] if value[2:] == (1,) else value))


def verdicts(groups):
    """For each group its verdict when all that the report has are judged together; None where it has none."""
    pairs = []
    for group in groups:
        row, images = group.rows["published"], DATASETS[group.config.dataset]["test_examples"]
        pairs.append((row["test_accuracy"], images, row["report_test_accuracy"], TEST_IMAGES))
    return joint_verdicts(pairs)


def results_table(groups):
    """Table 4.2: accuracy and loss. Ours beside the report's, of the epochs that the report mixes."""
    measures = (("train", "Training"), ("validation", "Validation"), ("test", "Test"))
    columns = [Column("")]
    for part, words in measures:
        columns += [Column("acc. (%)", words, "r")]
        columns += [Column("95 % interval", words, "r")] * (part == "test")
        columns += [Column("loss", words, "r")]
    columns.append(Column("Verdict"))
    rows, joint = [], verdicts(groups)
    for group, together in zip(groups, joint, strict=True):
        row = group.rows["published"]
        rows.append(Row((group.label, group.about), heading=True))
        if group.pair in REPORT:
            theirs = {name: REPORT[group.pair][name] for name in SCORES}
            low, high = wilson_interval(theirs["test_accuracy"] * TEST_IMAGES, TEST_IMAGES)
            rows.append(Row(_score_cells("report", theirs, interval(low, high))))
        ends = interval(row["test_accuracy_low"], row["test_accuracy_high"])
        rows.append(Row(_score_cells("ours", row, ends), strong=True))
        if len(group.runs) > 1:
            ends = interval(row["test_accuracy_seeds_low"], row["test_accuracy_seeds_high"])
            rows.append(Row(("over seeds", *[""] * 5, ends, "", "")))
        if group.pair in REPORT:
            ends = interval(row["test_accuracy_difference_low"], row["test_accuracy_difference_high"], points)
            verdict = row["verdict"] + ("†" if together != NO_CLEAR_DIFFERENCE else "")
            cells = _score_cells("difference", row, ends, "_difference")
            rows.append(Row((*cells[:-1], verdict)))
    judged = [verdict for verdict in joint if verdict]
    count = sum(verdict != NO_CLEAR_DIFFERENCE for verdict in judged)
    notes = [
        "Accuracies in %, differences in percentage points, losses in nats with the L2 penalty. As in the report, "
        "training and validation figures are the last epoch's and test figures the best epoch's, which validation "
        "chose. Both sides were measured on 10,000 test images: intervals of an accuracy are Wilson's, those of a "
        "difference Newcombe's, and the verdict is better or worse where that does not contain zero.",
    ]
    if judged:
        notes.append(
            f"† also when all {len(judged)} comparisons are judged together (Holm), which holds for {count} of them."
        )
    if any(len(group.runs) > 1 for group in groups):
        notes.append("Figures of several seeds are means, and “over seeds” is Student's interval of the mean.")
    table = pd.DataFrame([group.rows["published"] for group in groups])
    # `as_csv` knows the columns of one run's own.
    lines = as_csv(table, _IN_CSV).splitlines()
    csv = "".join(f"{line},{word or ''}\n" for line, word in zip(lines, ("verdict_together", *joint), strict=True))
    return Table(
        "table_4_2",
        "4.2",
        "Accuracy and loss of the networks on MNIST, Fashion-MNIST and CIFAR-10",
        tuple(columns),
        tuple(rows),
        tuple(notes),
        csv,
    )


def _score_cells(words, scores, ends, suffix=""):
    """The cells of a line of Table 4.2."""
    cells = [words]
    for part in ("train", "validation", "test"):
        accuracy, nats = (float(scores[f"{part}_{measure}{suffix}"]) for measure in PANELS)
        cells.append(points(accuracy) if suffix else percent(accuracy))
        cells += [ends] * (part == "test")
        cells.append(loss(nats, "+" if suffix else ""))
    return (*cells, "")


def curves_table(dataset, groups):
    """Table 4.3, 6.1 or 6.2: accuracy and loss over the epochs."""
    number, _ = NUMBERS[dataset]
    rows, csv = [], []
    for group in groups:
        rows.append(Row((group.label, group.about), heading=True))
        rows.append(
            Row(
                tuple(
                    Picture(
                        picture_path("curves", group.key, panel), curve_alt(group, panel), _last_words(group, panel)
                    )
                    for panel in PANELS
                )
            )
        )
        for run in group.runs:
            csv.append(_history_rows(run))
    absent = [
        NETWORKS[name]["label"] for name in NETWORKS_OF_REPORT if name not in {group.config.network for group in groups}
    ]
    rows += [
        Row((f"{name} on {DATASETS[dataset]['label']}", "no run of ours in this pack"), heading=True) for name in absent
    ]
    notes = (
        "Training figures are means over an epoch while training, with augmentation and dropout. The dotted line is "
        "the report's validation figure of its last epoch; of the epochs before it gives none as a number.",
    )
    names = ["network", "dataset", "run", "seed"]
    return Table(
        *(f"table_{number.replace('.', '_')}", number),
        f"Accuracy and loss over the epochs on {DATASETS[dataset]['label']}",
        (Column("Accuracy", width=0.485), Column("Loss", width=0.485)),
        tuple(rows),
        notes,
        (pd.concat(csv) if csv else pd.DataFrame(columns=names)).to_csv(index=False),
    )


def _history_rows(run):
    """The rows of the CSV file of one run's curves, in the units of the page."""
    config, history = run.read_config(), run.read_history()
    for part in ("train", "validation"):
        history[f"{part}_accuracy"] = (100 * history[f"{part}_accuracy"]).round(10)
        units = {f"{part}_accuracy": f"{part}_accuracy_percent", f"{part}_loss": f"{part}_loss_nats"}
        history = history.rename(columns=units)
    about = {"network": config.network, "dataset": config.dataset, "run": run.id, "seed": config.seed}
    for position, (name, value) in enumerate(about.items()):
        history.insert(position, name, value)
    return history


def _last_words(group, panel):
    """A panel's figures of the best and of the last epoch, and the report's, in a line."""
    written = percent if panel == "accuracy" else loss
    unit = " %" if panel == "accuracy" else ""

    def said(scores):
        train, validation = (written(scores[f"{part}_{panel}"]) + unit for part in ("train", "validation"))
        return f"{train} training, {validation} validation"

    best, last = group.rows["best"], group.rows["last"]
    if best["epoch"] == last["epoch"] and said(best) == said(last):
        parts = [f"best and last epoch ({best['epoch']:g}): {said(best)}"]
    else:
        parts = [f"{name} epoch ({row['epoch']:g}): {said(row)}" for name, row in (("best", best), ("last", last))]
    if group.pair in REPORT:
        parts.append(f"report's last: {said(REPORT[group.pair])}")
    words = "; ".join(parts)
    return f"{words[0].upper()}{words[1:]}."


def curve_alt(group, panel):
    """What a picture of curves shows, in a sentence."""
    history = group.history
    written = percent if panel == "accuracy" else loss
    unit = " %" if panel == "accuracy" else ""
    ends = " and ".join(
        f"{words} from {written(float(history[f'{part}_{panel}'].iloc[0]))} to "
        f"{written(float(history[f'{part}_{panel}'].iloc[-1]))}{unit}"
        for part, words in (("train", "training"), ("validation", "validation"))
    )
    return f"{panel.capitalize()} of {group.label} over {len(history)} epoch{'s' * (len(history) != 1)}: {ends}."


def cases_table(dataset, groups):
    """Table 4.4, 6.3 or 6.4: images that the networks got right, and wrong."""
    _, number = NUMBERS[dataset]
    rows, csv = [], []
    for group in groups:
        rows.append(Row((group.label, group.about), heading=True))
        rows.append(
            Row(
                tuple(
                    Picture(picture_path("cases", group.runs[0].id, kind), cases_alt(group, right))
                    for right, kind in KINDS.items()
                )
            )
        )
        for right, kind in KINDS.items():
            csv += [
                {
                    "network": group.config.network,
                    "dataset": dataset,
                    "run": group.runs[0].id,
                    "case": kind,
                    "test_image": case.image,
                    "true_class": case.label,
                    "predicted_class": case.predicted,
                    "probability_percent": round(100 * case.probability, 10),
                }
                for case in group.cases[right]
            ]
    notes = [_CASES]
    if number == "4.4":
        notes.append("The report's caption of this table names Fashion-MNIST, but its images are of MNIST.")
    if any(len(group.runs) > 1 for group in groups):
        notes.append("Of several seeds it is the first run that is shown.")
    columns = (
        "network",
        "dataset",
        "run",
        "case",
        "test_image",
        "true_class",
        "predicted_class",
        "probability_percent",
    )
    return Table(
        *(f"table_{number.replace('.', '_')}", number),
        f"Success and fail cases on {DATASETS[dataset]['label']}",
        (Column("Success cases", width=0.485), Column("Fail cases", width=0.485)),
        tuple(rows),
        tuple(notes),
        pd.DataFrame(csv, columns=columns).to_csv(index=False),
    )


def cases_alt(group, right):
    """What a sheet of images shows, in a sentence."""
    told = "; ".join(
        f"{case.label} taken for {case.predicted} ({in_percent(case.probability)})" for case in group.cases[right]
    )
    return f"{KINDS[right].capitalize()} cases of {group.label}: {told or 'there are none'}."


def picture_path(kind, key, what=""):
    """Where a picture is in the zip, without its ending."""
    return f"figures/{kind}/{key}{'-' * bool(what)}{what}"


def claims_table(scale, found):
    """What runs of one scale say of the claims.

    Args:
        scale: one of `core.results.claims.SCALES`.
        found: for each claim (the Claim, its verdict, its comparisons of Found, for each of those the runs that it
            rests on).
    """
    rows, csv = [], []
    for claim, verdict, comparisons, runs in found:
        rows.append(Row((f"{verdict[0].upper()}{verdict[1:]}: {claim.text}", claim.how), heading=True))
        for one, there in zip(comparisons, runs, strict=True):
            statistic = claims.STATISTICS[one.comparison.statistic]
            form = "{:+.2f}" if statistic.unit == "points" else "{:.2f}"
            effect, low, high = (
                _NONE if math.isnan(value) else form.format(value).replace("-", "−")
                for value in (one.effect, one.low, one.high)
            )
            ends = _NONE if low == _NONE else f"{low} to {high}"
            bounds = one.comparison.bounds().replace("-", "−")
            unit = "" if effect == _NONE else f" {statistic.unit}"
            rows.append(
                Row(
                    (
                        one.comparison.label(),
                        f"{effect}{unit}",
                        ends,
                        f"{one.seeds}",
                        bounds,
                        one.verdict,
                    )
                )
            )
            csv.append(
                {
                    "scale": scale,
                    "claim": claim.name,
                    "text": claim.text,
                    "source": claim.source,
                    "how": claim.how,
                    "claim_verdict": verdict,
                    "comparison": one.comparison.label(),
                    "statistic": one.comparison.statistic,
                    "unit": statistic.unit,
                    "effect": one.effect,
                    "effect_low": one.low,
                    "effect_high": one.high,
                    "seeds": one.seeds,
                    "at_least": one.comparison.at_least,
                    "at_most": one.comparison.at_most,
                    "verdict": one.verdict,
                    "runs": " ".join(run.id for run in there),
                    "missing_runs": len(one.missing),
                }
            )
    columns = (
        Column("Comparison", width=0.33),
        Column("Effect", align="r"),
        Column("95 % interval", align="r"),
        Column("Seeds", align="r"),
        Column("Claimed", width=0.13),
        Column("Verdict", width=0.16),
    )
    entry = claims.SCALES[scale]
    return Table(
        f"claims_{scale}",
        "",
        f"The claims, tested {entry['about']}",
        columns,
        tuple(rows),
        (
            "A claim holds where all its comparisons do. With one seed two runs are compared image by image (McNemar), "
            "with several by Student's interval over the seeds. Runs of different scales are never mixed.",
        ),
        pd.DataFrame(csv).to_csv(index=False),
    )
