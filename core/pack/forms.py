"""A table as what people hand in or read: LaTeX (booktabs), Markdown and HTML."""

import html
import re
import unicodedata
from typing import NamedTuple


class Picture(NamedTuple):
    """A picture in a cell.

    Attributes:
        path: where it is in the zip, without its ending.
        alt: what it shows, for those who do not see it.
        caption: what stands under it; may be empty.
    """

    path: str
    alt: str
    caption: str = ""


class Column(NamedTuple):
    """A column.

    Attributes:
        label: its heading.
        group: what stands over it and its neighbours of the same group; "" for nothing.
        align: "l" or "r".
        width: of the line, for a text that is wrapped or a picture; None for one as wide as what is in it.
    """

    label: str
    group: str = ""
    align: str = "l"
    width: float | None = None


class Row(NamedTuple):
    """A row of cells, texts and Pictures, one for each column.

    With `heading` it stands over the rows that follow: its cells are then a text and what is said besides, and reach
    over all columns. A `strong` one is what the table is about.
    """

    cells: tuple
    heading: bool = False
    strong: bool = False


class Table(NamedTuple):
    """A table.

    Attributes:
        name: of its files.
        number: what it is called, "4.2"; "" for one that is not in the report.
        caption: what it shows, a sentence without its full stop.
        columns, rows: of Column and Row.
        notes: sentences that stand under it.
        csv: the text of the CSV file with its figures.
    """

    name: str
    number: str
    caption: str
    columns: tuple
    rows: tuple
    notes: tuple
    csv: str

    @property
    def title(self):
        """ "Table 4.2"; the caption of a table without a number."""
        return f"Table {self.number}" if self.number else self.caption


# What the fonts that TeX always has, and its own encoding of them, write otherwise.
_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
    '"': "''",
    "−": "$-$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "→": r"$\rightarrow$",
    "°": r"$^\circ$",
    "µ": r"$\mu$",
    "–": "--",
    "—": "---",
    "…": r"\ldots{}",
    "“": "``",
    "”": "''",
    "‘": "`",
    "’": "'",
    "†": r"$^{\dagger}$",
    "\u00a0": "~",
}
_ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030a": "r", "\u0327": "c"}


def latex(text):
    """Text as TeX takes it. A letter that TeX's own fonts do not have is written as its number."""
    return "".join(map(_letter, " ".join(text.split())))


def _letter(letter):
    if letter in _TEX:
        return _TEX[letter]
    if letter.isascii():
        return letter if letter.isprintable() else ""
    base, *marks = unicodedata.normalize("NFD", letter)
    if base.isascii() and len(marks) == 1 and marks[0] in _ACCENTS:
        return rf"\{_ACCENTS[marks[0]]}{{{base}}}"
    return f"[U+{ord(letter):04X}]"


def markdown(text):
    """Text as it is, where Markdown would make tables, links, emphasis and HTML of it."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", " ".join(text.split()))


def as_latex(table):
    """A longtable, which needs booktabs, longtable, array and graphicx; a file to \\input."""
    specs = "".join(map(_latex_column, table.columns))
    head = _latex_head(table.columns)
    number = [rf"\renewcommand{{\thetable}}{{{table.number}}}"] if table.number else []
    caption = rf"\caption{{{latex(table.caption)}.}}\label{{tab:{table.name}}}\\"
    if not table.number:
        caption = rf"\caption*{{{latex(table.caption)}.}}\\"
    lines = [
        r"\begingroup",
        *number,
        r"\footnotesize\setlength{\tabcolsep}{3.5pt}\setlength{\LTcapwidth}{\linewidth}",
        rf"\begin{{longtable}}{{@{{}}{specs}@{{}}}}",
        caption,
        *(r"\toprule", *head, r"\midrule", r"\endfirsthead"),
        *(r"\toprule", *head, r"\midrule", r"\endhead"),
        rf"\midrule\multicolumn{{{len(table.columns)}}}{{r@{{}}}}{{\emph{{continued on the next page}}}}\\",
        *(r"\endfoot", r"\bottomrule", r"\endlastfoot"),
        *_latex_rows(table),
        r"\end{longtable}",
    ]
    if table.notes:
        lines.append(rf"\noindent {latex(' '.join(table.notes))}\par\medskip")
    return "\n".join([*lines, r"\endgroup", ""])


def _latex_column(column):
    if column.width is None:
        return column.align
    return rf">{{\raggedright\arraybackslash}}p{{{column.width:g}\linewidth}}"


def _groups(columns):
    """(group, number of its first column, from 1, how many it has), of neighbours with the same group."""
    found = []
    for number, column in enumerate(columns, start=1):
        if found and found[-1][0] == column.group and column.group:
            found[-1][2] += 1
        else:
            found.append([column.group, number, 1])
    return found


def _latex_head(columns):
    labels = " & ".join(latex(column.label) for column in columns) + r"\\"
    if not any(column.group for column in columns):
        return [labels]
    groups = _groups(columns)
    over = " & ".join(rf"\multicolumn{{{count}}}{{c}}{{{latex(group)}}}" for group, _, count in groups) + r"\\"
    rules = "".join(rf"\cmidrule(lr){{{first}-{first + count - 1}}}" for group, first, count in groups if group)
    return [over, rules, labels]


def _latex_rows(table):
    """Rows under one heading stay on one page, as far as they are few."""
    count, lines = len(table.columns), []
    for position, row in enumerate(table.rows):
        following = table.rows[position + 1] if position + 1 < len(table.rows) else None
        ends_block = following is None or following.heading
        if row.heading:
            if position:
                lines.append(r"\addlinespace")
            words, *besides = map(latex, row.cells)
            said = rf"\textbf{{{words}}}" + (rf"\quad {besides[0]}" if besides and besides[0] else "")
            line = rf"\multicolumn{{{count}}}{{@{{}}p{{\linewidth}}@{{}}}}{{\raggedright {said}}}"
        else:
            line = " & ".join(_latex_cell(cell, row.strong) for cell in row.cells)
        pictures = any(isinstance(cell, Picture) for cell in row.cells)
        lines.append(line + (r"\\" if ends_block or (pictures and not row.heading) else r"\\*"))
    return lines


def _latex_cell(cell, strong):
    if isinstance(cell, Picture):
        caption = rf"\newline {latex(cell.caption)}" if cell.caption else ""
        return rf"\includegraphics[width=\linewidth]{{{cell.path}}}{caption}"
    text = latex(cell)
    return rf"\textbf{{{text}}}" if strong and text else text


def as_markdown(table, up="../"):
    """The table in Markdown, under its caption. `up`: the way from it to the pictures."""

    def cell_of(cell, strong=False):
        if isinstance(cell, Picture):
            caption = f"<br>{markdown(cell.caption)}" if cell.caption else ""
            return f"![{markdown(cell.alt)}]({up}{cell.path}.png){caption}"
        text = markdown(cell)
        return f"**{text}**" if strong and text else text

    def line(cells):
        return f"| {' | '.join(cells)} |"

    lines = [
        f"**{table.title}.** {markdown(table.caption)}." if table.number else f"**{markdown(table.caption)}.**",
        "",
    ]
    lines.append(line([markdown(f"{column.group} {column.label}".strip()) for column in table.columns]))
    lines.append(line(["---:" if column.align == "r" else "---" for column in table.columns]))
    for row in table.rows:
        if row.heading:
            words, *besides = map(markdown, row.cells)
            said = f"**{words}**" + (f" {besides[0]}" if besides and besides[0] else "")
            lines.append(line([said, *[""] * (len(table.columns) - 1)]))
        else:
            lines.append(line([cell_of(cell, row.strong) for cell in row.cells]))
    if table.notes:
        lines += ["", markdown(" ".join(table.notes))]
    return "\n".join([*lines, ""])


def as_html(table, drawn):
    """The table as a figure in HTML.

    Args:
        drawn: the path of a Picture -> its HTML, which says itself what it shows.
    """
    escape = html.escape
    key = f"table-{table.name}"
    labels, groups = "", ""
    if any(column.group for column in table.columns):
        for group, first, count in _groups(table.columns):
            if group:
                groups += f'<th scope="colgroup" colspan="{count}">{escape(group)}</th>'
            else:
                label, align = table.columns[first - 1].label, table.columns[first - 1].align
                groups += (
                    f'<th scope="col" rowspan="2" class="{align}">{escape(label)}</th>'
                    if label
                    else '<td rowspan="2"></td>'
                )
        groups = f"<tr>{groups}</tr>"
    for column in table.columns:
        if column.group or not groups:
            labels += (
                f'<th scope="col" class="{column.align}">{escape(column.label)}</th>' if column.label else "<td></td>"
            )
    bodies, open_ = [], False
    for row in table.rows:
        if row.heading or not open_:
            bodies.append("")
            open_ = True
        if row.heading:
            words, *besides = map(escape, row.cells)
            said = f"{words} <span>{besides[0]}</span>" if besides and besides[0] else words
            bodies[-1] += f'<tr><th scope="rowgroup" colspan="{len(table.columns)}"><div>{said}</div></th></tr>'
        else:
            bodies[-1] += _html_row(row, table.columns, drawn)
    title = f"<b>{escape(table.title)}.</b> " if table.number else ""
    notes = f'<p class="notes">{escape(" ".join(table.notes))}</p>' if table.notes else ""
    pictures = any(isinstance(cell, Picture) for row in table.rows for cell in row.cells)
    return (
        f'<figure id="{key}"><figcaption id="{key}-caption">{title}{escape(table.caption)}.</figcaption>'
        f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{key}-caption">'
        f'<table class="{"pictures" if pictures else "figures"}" aria-labelledby="{key}-caption">'
        f"<thead>{groups}<tr>{labels}</tr></thead>"
        f"{''.join(f'<tbody>{body}</tbody>' for body in bodies)}</table></div>{notes}</figure>"
    )


def _html_row(row, columns, drawn):
    cells = ""
    for position, (cell, column) in enumerate(zip(row.cells, columns, strict=True)):
        if isinstance(cell, Picture):
            inside = drawn[cell.path] + (f"<p>{html.escape(cell.caption)}</p>" if cell.caption else "")
        else:
            inside = html.escape(cell)
        kind = "picture" if isinstance(cell, Picture) else column.align
        # The first cell says what the row is.
        tag, scope = ("th", ' scope="row"') if not position and isinstance(cell, str) and cell else ("td", "")
        cells += f'<{tag}{scope} class="{kind}">{inside}</{tag}>'
    return f"<tr{' class=strong' if row.strong else ''}>{cells}</tr>"
