"""What a round against the networks looks like: the image, who said what, and the table at its end."""

from html import escape
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from core.results.rounds import IMAGES, Player
from core.runs.run import Run
from pages.parts.image_grid import png_address
from pages.parts.inner_links import look_inside
from pages.parts.style import percent

_CSS = Path(__file__).with_suffix(".css").read_text("utf-8")
_YOU = "You"


_focus = st.components.v2.component(
    "round_focus",
    css="""
.st-key-round-focus { display: none; }
""",
    js=Path(__file__).with_name("round_focus.js").read_text("utf-8"),
    isolate_styles=False,
)


def keep_focus(to):
    """Moves the focus on with the round, for whoever plays by keyboard.

    Args:
        to: where it goes: "lead" to the button that leads on, "choose" to the classes, "end" to the result.
    """
    with st.container(key="round-focus"):
        _focus(key="round focus", data={"next": to})


class Opponent(NamedTuple):
    """A network on the board: its Run, a short name, its colour, and what it makes of the images of the round."""

    run: Run
    name: str
    colour: str
    player: Player


def draw_style():
    """Once a page, before the rest."""
    st.html(f"<style>{_CSS}</style>")


def draw_picture(image, says):
    """One image (h, w, c), uint8, as large as its column, or a card in its stead where it is None."""
    if image is None:
        st.html(f"<div class='round-picture' aria-hidden='true'><span>{escape(says)}</span></div>")
    else:
        st.html(f"<div class='round-picture'><img alt='{escape(says)}' src='{png_address(image)}'></div>")


def draw_verdict(text, right=None):
    """The line above the buttons, read out when it changes; coloured where `right` says whether you were right."""
    kind = "" if right is None else "right" if right else "wrong"
    st.html(f"<p class='round-verdict {kind}' role='status'>{escape(text)}</p>")


def draw_board(opponents, choices, score, classes, shown=None):
    """A line for you and one for each network: how the round stands, and what each says of one image.

    Args:
        opponents: a list of Opponent.
        choices: the class numbers chosen so far, a list.
        score: the core.results.rounds.Score of these.
        classes: their names.
        shown: the position of the image whose predictions are shown, or None while they are hidden.
    """
    hidden = _cell("says", "?") + _cell("sure", _bar(0))
    mine = _cell("says", "?") + _cell("unsaid", "")
    if shown is not None:
        mine = _says(classes[choices[shown]], score.mine[shown])
    lines = [_line(_YOU, "currentColor", score.mine, mine)]
    for opponent, marks in zip(opponents, score.theirs, strict=True):
        says = hidden
        if shown is not None:
            predicted, confidence = opponent.player.classes[shown], float(opponent.player.confidences[shown])
            says = _says(classes[predicted], marks[shown], confidence)
        lines.append(_line(opponent.name, opponent.colour, marks, says))
    st.html(f"<div class='round-board' role='table' aria-label='How the round stands'>{''.join(lines)}</div>")


def draw_standings(opponents, score):
    """A line for you and one for each network at the end of a round; as in `draw_board`."""
    lines = [_line(_YOU, "currentColor", score.mine, "")]
    lines += [_line(each.name, each.colour, marks, "") for each, marks in zip(opponents, score.theirs, strict=True)]
    st.html(f"<div class='round-board over' role='table' aria-label='How the round went'>{''.join(lines)}</div>")


def _line(name, colour, marks, says):
    pips = "".join(
        f"<i class='{'' if at >= len(marks) else 'right' if marks[at] else 'wrong'}'></i>" for at in range(IMAGES)
    )
    told = f"<span role='img' aria-label='{sum(marks)} of {len(marks)} recognised'>{pips}</span>"
    return (
        f"<div role='row' style='--player: {escape(colour)}'><b role='rowheader'>{escape(name)}</b>{says}"
        f"{_cell('pips', told)}{_cell('points', sum(marks))}</div>"
    )


def _says(name, right, confidence=None):
    says = _cell("says", _answer(name, right, confidence))
    # You do not say how sure you are.
    return says + _cell("unsaid", "") if confidence is None else says + _cell("sure", _bar(confidence))


def _bar(share):
    return f"<i style='width: {100 * share:.0f}%'></i>"


def _cell(kind, content):
    return f"<span role='cell' class='{kind}'>{content}</span>"


def _answer(name, right, confidence=None):
    mark, kind = ("✓", "right") if right else ("×", "wrong")
    sure = "" if confidence is None else f" <small>{percent(confidence, 0)}</small>"
    return f"<span class='{kind}'>{mark} {escape(name)}</span>{sure}"


def mark_classes(choice, label):
    """Marks two of the buttons, which are called "class N": that which was chosen, and that of the true class."""
    st.html(
        f"<style>.st-key-class-{choice} button:disabled {{ border: 2px solid light-dark(#b3261e, #ff8a80); "
        "color: light-dark(#b3261e, #ff8a80); }"
        f".st-key-class-{label} button:disabled {{ border: 2px solid light-dark(#12703f, #5fd394); "
        "color: light-dark(#12703f, #5fd394); background: light-dark(#12703f1a, #5fd3941a); }</style>"
    )


def draw_score(mine, of, standing):
    """What you reached, large, and how that is beside the networks."""
    st.html(
        f"<p class='round-score' tabindex='-1'><b>{mine}</b><span>{escape(of)}</span></p>"
        f"<p class='round-standing'>{escape(standing)}</p>"
    )


def draw_link(text, address):
    """An inner link that looks like a button."""
    st.html(f"<a class='inner round-link' target='_self' href='{escape(address)}'>{escape(text)}</a>", width="content")


def draw_strips(strips, images, numbers, names):
    """Small images under headings, each a link to its row of the table.

    Args:
        strips: heading -> the positions of its images in the round.
        images, numbers, names: (10, h, w, c) uint8, the numbers in the test set and the names of the classes.
    """
    found = "".join(
        f"<section><h3>{escape(heading)}</h3><p>"
        + ("" if positions else "<span>no image</span>")
        + "".join(
            f"<a href='#no-{numbers[at]}' target='_self'><img alt='Test image {numbers[at]}: {escape(names[at])}' "
            f"src='{png_address(images[at])}'></a>"
            for at in positions
        )
        + "</p></section>"
        for heading, positions in strips.items()
    )
    st.html(f"<div class='round-strips'>{found}</div>")


def draw_table(opponents, choices, score, classes, images, run):
    """You against each network, image by image.

    Args:
        opponents, choices, score, classes: as in `draw_board`, of a whole round.
        images: of each image: (h, w, c) uint8, its number in the test set, and the name of its class.
        run: the id of that in whose gallery, and inside whose network, they are shown.
    """
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in [_YOU, *(each.name for each in opponents)])
    rows = "".join(
        f"<tr id='no-{number}'><th scope='row'>"
        f"<a class='inner' target='_self' href='gallery?run={escape(run)}&amp;image={number}'>"
        f"<img alt='' src='{png_address(image)}'><span>{escape(name)}<small>no. {number}</small></span></a></th>"
        f"<td>{_answer(classes[choices[at]], score.mine[at])}</td>"
        + "".join(
            f"<td>{_answer(classes[each.player.classes[at]], marks[at], float(each.player.confidences[at]))}</td>"
            for each, marks in zip(opponents, score.theirs, strict=True)
        )
        + f"<td>{look_inside(number, [run])}</td></tr>"
        for at, (image, number, name) in enumerate(images)
    )
    totals = "".join(f"<td>{sum(marks)}</td>" for marks in [score.mine, *score.theirs])
    st.html(
        "<div class='round-table' tabindex='0' role='region' aria-label='Image by image'><table><thead><tr>"
        f"<th scope='col'>Image</th>{head}<td></td></tr></thead><tbody>{rows}</tbody>"
        f"<tfoot><tr><th scope='row'>Recognised</th>{totals}<td></td></tr></tfoot></table></div>"
    )
