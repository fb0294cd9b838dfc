"""What ties the tables together: the report as one HTML file and as LaTeX, and what says which file is what."""

from html import escape
from pathlib import Path
from typing import NamedTuple

from core.config.recipes import training_command
from core.pack.forms import as_html, latex, markdown
from core.palette import NETWORK_COLOURS
from core.results.reference import AUTHOR, REPORT, TITLE
from core.results.statistics import BETTER, NO_CLEAR_DIFFERENCE, WORSE
from core.runs import provenance

_CSS = Path(__file__).with_name("report.css")
HEADING = f"{TITLE}, repeated"


class Contents(NamedTuple):
    """All that goes into a pack.

    Attributes:
        version: of the code that made it.
        groups: of core.pack.tables.Group.
        joint: for each group its verdict when all are judged together, or None.
        tables: the eight of the report, in its order.
        claims: a table for each scale.
        evidence: the runs that only the claims rest on, of core.runs.run.Run.
        drawn: path of a picture -> its HTML.
        matrices: (path, alt, caption) of the confusion matrices that are shown, one a group.
        differences: (path, alt) of the picture of the differences, or None.
    """

    version: str
    groups: list
    joint: list
    tables: list
    claims: list
    evidence: list
    drawn: dict
    matrices: list
    differences: tuple | None

    @property
    def runs(self):
        return [run for group in self.groups for run in group.runs]


def lead(contents):
    """What this is, in a sentence or two."""
    count = len(contents.runs)
    return (
        f"The tables of the report “{TITLE}” by {AUTHOR}, with the figures of {count} run{'s' * (count != 1)} of ours "
        f"beside them, made with Deeper Networks Lab, version {version_in_words(contents.version)}."
    )


def version_in_words(version):
    return version.replace("+changes", " with changes of its own")


def counted(contents):
    """How ours compare with the report: [(number, what it counts)]; nothing where nothing stands beside it."""
    alone = [group.rows["published"]["verdict"] for group in contents.groups if group.pair in REPORT]
    if not alone:
        return []
    joint = [verdict for verdict in contents.joint if verdict]
    return [
        (f"{len(alone)}", f"comparison{'s' * (len(alone) != 1)} with the report"),
        *((f"{alone.count(word)}", f"{word}; {joint.count(word)} judged together") for word in (BETTER, WORSE)),
        (f"{alone.count(NO_CLEAR_DIFFERENCE)}", NO_CLEAR_DIFFERENCE),
    ]


def summary(contents):
    """The same in a sentence; "" where nothing stands beside the report."""
    alone = [group.rows["published"]["verdict"] for group in contents.groups if group.pair in REPORT]
    if not alone:
        return ""
    (better, worse), (also_better, also_worse) = (
        [verdicts.count(word) for word in (BETTER, WORSE)] for verdicts in (alone, contents.joint)
    )
    count = f"{len(alone)} comparison{'s' * (len(alone) != 1)}"
    return (
        f"Of {count} with the report, taken one by one, {better} say better and {worse} worse; judged together, with "
        f"Holm's correction, {also_better} and {also_worse}."
    )


def where_trained(run):
    """Where and with what a run was trained, in words."""
    return provenance.in_words(run.read_sessions()) or "Where it was trained was not recorded."


def sections(contents):
    """(heading, what it is about, the tables under it), in order."""
    return [
        ("Data", "", contents.tables[:1]),
        ("Results", "", contents.tables[1:2]),
        ("Curves and cases", "", contents.tables[2:]),
        (
            "Claims",
            "What the report says, tested by finished runs of this lab. How each claim is judged was written down "
            "before anybody looked.",
            contents.claims,
        ),
    ]


def report_html(contents):
    """The whole report as one file, which asks nobody for anything."""
    parts, toc = [], []
    for heading, about, tables in sections(contents):
        key = heading.lower().replace(" ", "-")
        toc.append((key, heading, True))
        parts.append(f'<section aria-labelledby="{key}"><h2 id="{key}">{heading}</h2>')
        if about:
            parts.append(f"<p>{escape(about)}</p>")
        for table in tables:
            words = f"{table.title}: {table.caption}" if table.number else table.caption
            toc.append((f"table-{table.name}", words, False))
            parts.append(as_html(table, contents.drawn))
        parts.append("</section>")
    toc += [("matrices", "Confusion matrices", True), ("runs", "Runs", True)]
    figures = "".join(
        f"<figure><figcaption>{escape(caption)}</figcaption>{contents.drawn[path]}</figure>"
        for path, _, caption in contents.matrices
    )
    parts.append(
        '<section aria-labelledby="matrices"><h2 id="matrices">Confusion matrices</h2><p>Test images of each true '
        f'class (row) by predicted class (column).</p><div class="matrices">{figures}</div></section>'
    )
    parts.append(f'<section aria-labelledby="runs"><h2 id="runs">Runs</h2>{_runs_html(contents)}</section>')
    glance = ""
    if contents.differences:
        glance = (
            '<figure><figcaption id="differences">How far ours are from the report\'s, with 95 % intervals.'
            '</figcaption><div class="scroll differences" role="region" tabindex="0" aria-labelledby="differences">'
            f"{contents.drawn[contents.differences[0]]}</div></figure>"
        )
    facts = "".join(f"<li><b>{number}</b>{escape(words)}</li>" for number, words in counted(contents))
    links = "".join(f'<li{" class=part" * part}><a href="#{key}">{escape(words)}</a></li>' for key, words, part in toc)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(HEADING)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        f"style-src 'unsafe-inline'\"><style>{_CSS.read_text('utf-8')}</style></head><body>"
        f'<header><h1>{escape(HEADING)}</h1><p class="lead">{escape(lead(contents))}</p>'
        f"{f'<ul class=facts>{facts}</ul>' if facts else ''}"
        f'{glance}<nav aria-label="Contents"><ul>{links}</ul></nav></header><main>{"".join(parts)}</main>'
        f"<footer><p>The README.md of the pack says what each of its files holds.</p></footer></body></html>\n"
    )


def _runs_html(contents):
    found = [
        "<p>Each line trains its run again. The settings and the environment of each stand in its config.json.</p>"
    ]
    for group in contents.groups:
        for run in group.runs:
            config = run.read_config()
            found.append(
                f'<div class="run" style="--colour: {NETWORK_COLOURS[config.network]}"><h3>{escape(group.label)}</h3>'
                f"<p>{escape(run.id)}</p><p class=about>{escape(where_trained(run))}</p>"
                f"<code>{escape(training_command(config))}</code></div>"
            )
    if contents.evidence:
        names = "".join(f"<li><code>{escape(run.id)}</code></li>" for run in contents.evidence)
        found.append(f"<h3>Runs that only the claims rest on</h3><ul>{names}</ul>")
    return "".join(found)


_PREAMBLE = r"""% The report's tables with ours beside them. It compiles as it stands: pdflatex report.tex, twice.
\documentclass[10pt,a4paper]{article}
\usepackage[margin=18mm]{geometry}
\usepackage{array,booktabs,caption,graphicx,longtable,microtype}
\usepackage[hidelinks]{hyperref}
\captionsetup{font=small,labelfont=bf,hypcap=false,justification=raggedright,singlelinecheck=false}
\setlength{\parindent}{0pt}\setlength{\parskip}{4pt}
\setlength{\emergencystretch}{3em}
\raggedbottom
"""


def report_tex(contents):
    """The LaTeX file that puts the tables together."""
    lines = [
        _PREAMBLE + rf"\hypersetup{{pdftitle={{{latex(HEADING)}}}}}",
        r"\begin{document}",
        rf"{{\LARGE\bfseries {latex(HEADING)}\par}}\bigskip",
        latex(lead(contents)),
        "",
    ]
    if said := summary(contents):
        lines += [latex(said), ""]
    if contents.differences:
        lines += [
            r"\begin{center}",
            rf"\includegraphics[width=\linewidth]{{{contents.differences[0]}}}",
            r"\captionof{figure}{How far ours are from the report's, with 95\,\% intervals.}",
            r"\end{center}",
        ]
    for heading, about, tables in sections(contents):
        # A heading would be left alone at the foot of a page where a table's first row no longer fits.
        lines += [r"\clearpage"] * (tables != contents.tables[:1])
        lines += [rf"\section{{{heading}}}", latex(about), ""]
        for table in tables:
            lines.append(rf"\input{{{'claims' if table in contents.claims else 'tables'}/{table.name}}}")
    lines += [
        r"\clearpage",
        r"\section{Confusion matrices}",
        "Test images of each true class (row) by predicted class (column).",
        "",
    ]
    for path, _, caption in contents.matrices:
        lines += [
            r"\begin{minipage}[t]{0.485\linewidth}\raggedright\small " + latex(caption) + r"\par",
            rf"\includegraphics[width=\linewidth]{{{path}}}\end{{minipage}}\hfill",
        ]
    lines += ["", r"\section{Runs}", "Each line trains its run again.", ""]
    for group in contents.groups:
        for run in group.runs:
            command = latex(training_command(run.read_config())).replace("--", "-{}-")
            lines += [
                r"\begin{minipage}{\linewidth}\raggedright\small",
                rf"\textbf{{{latex(group.label)}}}\quad {latex(run.id)}\par",
                rf"{latex(where_trained(run))}\par",
                rf"{{\footnotesize\ttfamily {command}}}\end{{minipage}}\par\medskip",
            ]
    return "\n".join([*lines, r"\end{document}", ""])


def commands(contents):
    """A script that trains the runs again, those that the claims rest on after the others."""
    lines = [
        "#!/bin/sh",
        "# Trains the runs of this pack again, one after another, in a copy of Deeper Networks Lab.",
        f"# The pack was made with version {version_in_words(contents.version)}.",
        "set -e",
    ]
    for run in contents.runs:
        lines += ["", f"# {run.id}", training_command(run.read_config())]
    if contents.evidence:
        lines += ["", "# Those that only the claims rest on."]
        for run in contents.evidence:
            lines += [f"# {run.id}", training_command(run.read_config())]
    return "\n".join([*lines, ""])


def readme(contents, files):
    """What the pack is, from which runs, and what each file of it holds.

    Args:
        files: path -> what it holds, of all other files.
    """
    lines = [
        f"# {HEADING}",
        "",
        markdown(f"{lead(contents)} {summary(contents)}".strip()),
        "",
        "Begin with `report.html`, which opens in any browser, without a network, and prints. `report.tex` is the same "
        "for LaTeX: `pdflatex report.tex`, twice. The single tables in `tables/` and `claims/` need the packages "
        "array, booktabs, caption, graphicx and longtable. The same version of the lab makes of the same runs the same "
        "file, byte for byte.",
        "",
        "## Runs",
        "",
        "| Run | What | Trained | Command |",
        "|---|---|---|---|",
    ]
    for group in contents.groups:
        for run in group.runs:
            config = run.read_config()
            cells = " | ".join(map(markdown, (f"{group.label}, {group.about}", where_trained(run))))
            lines.append(f"| `{run.id}` | {cells} | `{training_command(config)}` |")
    if contents.evidence:
        lines += ["", "Only the claims rest on these:", ""]
        lines += [f"- `{run.id}`: `{training_command(run.read_config())}`" for run in contents.evidence]
    lines += ["", "## Files", "", "| File | What it holds |", "|---|---|", "| `README.md` | this |"]
    lines += [f"| `{path}` | {markdown(files[path])} |" for path in sorted(files)]
    return "\n".join([*lines, ""])
