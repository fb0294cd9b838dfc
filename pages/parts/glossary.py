"""What the words of the trade mean, in one sentence each, and how a page shows that where such a word stands."""

import html
import re

# Word -> (how it is found in a text, what it means). The longer ones come first: "validation loss" holds two.
WORDS = {
    "8-bit weights": (
        r"8-bit weights",
        "The network's numbers rounded to 256 steps each: a quarter of the size, and nearly as good.",
    ),
    "accuracy": (r"accurac(?:y|ies)", "The share of the images that the network recognises."),
    "augmentation": (
        r"augment(?:ation|ed)",
        "Showing each image slightly moved or mirrored, so that more is learned from it.",
    ),
    "batch": (r"batch(?:es)?", "The images that the network learns from together, in one step."),
    "centred by mass": (
        r"centred by mass",
        "Moved so that the ink's balance point is in the middle, as if the drawing were cut out of card.",
    ),
    "confidence": (
        r"confiden(?:ce|t)",
        "How sure the network is of its prediction. All classes together get 100 %.",
    ),
    "cross-entropy": (
        r"cross-entropy",
        "The usual loss: how surprised the network is by the true class, given its prediction.",
    ),
    "convolution": (
        r"convolutions?",
        "A layer that looks for the same few patterns at every position of the image.",
    ),
    "dropout": (
        r"dropout",
        "Leaving out a random part of the network at each step of the training, against overfitting.",
    ),
    "epoch": (r"epochs?", "One pass through all the training images."),
    "filter": (
        r"filters?",
        "The few weights that slide over an image; where their pattern is, the map that they make is bright.",
    ),
    "interval": (
        r"intervals?",
        "From where to where the true figure may lie, as the test images are only some of all images.",
    ),
    "label smoothing": (
        r"label smoothing",
        "Teaching a network to be 91 % sure and not 100 %, so that it does not become too certain.",
    ),
    "last features": (
        r"last features",
        "The numbers that the network has made of the image when it decides: its final layer weighs them up.",
    ),
    "layer": (
        r"layers?",
        "One step of the network: it takes what the step before it made, and makes something new of it.",
    ),
    "learning rate": (
        r"learning rate",
        "How far each step changes the network: too small is slow, too large never settles.",
    ),
    "loss": (
        r"loss(?:es)?",
        "How wrong the network is, as a number: it counts doubts and not only errors. Lower is better.",
    ),
    "multiply-adds": (
        r"multiply-adds?",
        "The arithmetic of a network: how many products it sums up for one image. Twice as many take twice as long.",
    ),
    "nats": (
        r"nats?",
        "The unit of the loss: 0.7 is the doubt between two equally likely classes, 2.3 that between ten.",
    ),
    "overfitting": (
        r"overfit(?:ting)?",
        "Learning the training images by heart: training gets better while validation gets worse.",
    ),
    "parameters": (
        r"parameters?",
        "The numbers of a network that training finds: above all the weights of its filters.",
    ),
    "receptive field": (
        r"receptive fields?",
        "The part of the image that one value inside the network depends on; it grows from layer to layer.",
    ),
    "recipe": (r"recipes?", "A set of settings for the training: how long, how fast, on which images."),
    "validation": (
        r"validation",
        "Images held back from the training, to see after each epoch how well the network does on new ones.",
    ),
}
_ANY = re.compile("|".join(rf"(?P<w{i}>\b{pattern}\b)" for i, (pattern, _) in enumerate(WORDS.values())), re.IGNORECASE)
# Where the pointer or the keyboard is on a word, its meaning lies below it. In rem, for presenter mode.
CSS = """
.term { position: relative; text-decoration: underline dotted; text-underline-offset: 0.2em; cursor: help; }
.term:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; border-radius: 2px; }
.term::after {
  content: attr(aria-description);
  position: absolute; z-index: 20; left: 0; top: calc(100% + 0.3rem); width: max-content; max-width: min(18rem, 70vw);
  padding: 0.5rem 0.7rem; border-radius: 0.4rem; display: none; pointer-events: none;
  background: #262d38; color: #fff; font: 400 0.875rem/1.4 var(--st-font, inherit);
  text-align: left; white-space: normal;
}
.term:is(:hover, :focus)::after { display: block; }
"""


def meaning(word):
    """What one of WORDS means."""
    return WORDS[word][1]


def words_in(text):
    """Those of WORDS that stand in a text, in its order, each once."""
    names = list(WORDS)
    return list(dict.fromkeys(names[int(found.lastgroup[1:])] for found in _ANY.finditer(text)))


def help_on(text, before=""):
    """The meanings of the words in a text, for a Streamlit element's `help`; None where there are none.

    Args:
        before: another text, which explains its own words already.
    """
    words = [word for word in words_in(text) if word not in words_in(before)]
    return "\n\n".join(f"**{word[0].upper()}{word[1:]}**: {meaning(word)}" for word in words) or None


def explained(help, text):
    """A help text, or None, and after it the meanings of the words in what it is the help of; None where both lack."""
    return "\n\n".join(filter(None, (help, help_on(text)))) or None


def marked(text, stops=True):
    """Plain text as HTML in which the first of each of WORDS can be pointed at, or reached by Tab, for its meaning. The
    page has to have CSS.

    Args:
        stops: whether Tab reaches them: what is drawn anew every other second would lose the keyboard.
    """
    names, seen, parts, end = list(WORDS), set(), [], 0
    for found in _ANY.finditer(text):
        word = names[int(found.lastgroup[1:])]
        if word not in seen:
            seen.add(word)
            parts += [html.escape(text[end : found.start()]), _term(found[0], meaning(word), stops)]
            end = found.end()
    return "".join([*parts, html.escape(text[end:])])


def _term(shown, means, stops):
    # No text of the page: who reads or copies a sentence gets the sentence alone.
    tab = 'tabindex="0" ' if stops else ""
    return f'<span class="term" {tab}aria-description="{html.escape(means)}">{html.escape(shown)}</span>'
