"""How things look on every page: colours, and names and numbers the way people read them."""

import re
import time

from core.config.recipes import RECIPES
from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from core.results.statistics import wilson_interval

# A colour that is no network's, and the theme's own colour of text, light or dark, in charts that are drawn as SVG.
GREY, TEXT = "#8A93A0", "currentColor"


def pair_label(network, dataset):
    """ "AlexNet on MNIST"."""
    return f"{NETWORKS[network]['label']} on {DATASETS[dataset]['label']}"


def plain(text):
    """Text from a file, to be shown as it is where Streamlit would make links, pictures and the like of it."""
    return re.sub(r"([\\`*\[\]<>$~])", r"\\\1", text)


def heard(words):
    """What follows the label of a link or a button for those who hear the page alone: links that look alike lead to
    different places. In Markdown, see `shell.css`.
    """
    return f" *{plain(words)}*"


def percent(share, digits=2):
    """0.9922 as "99.22 %", and an em dash for nothing."""
    return "—" if share is None else f"{100 * share:.{digits}f} %"


def points(share):
    return f"{100 * share:+.2f}".replace("-", "−")


def interval(right, images):
    """The 95 % interval of an accuracy: "95 % interval 99.12 to 99.41 %"."""
    low, high = wilson_interval(right, images)
    return f"95 % interval {100 * low:.2f} to {100 * high:.2f} %"


def duration(seconds):
    """Seconds as people say them: "40 s", "3 min", "1 h 05 min", "9 days"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds > 48 * 3600:
        return f"{seconds / 86400:.0f} days"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def moment(seconds):
    """The time of day of a moment of today, the day of one before: "14:05", "22 Nov"; `seconds` since 1970."""
    then = time.localtime(seconds)
    if then[:3] == time.localtime()[:3]:
        return time.strftime("%H:%M", then)
    return f"{then.tm_mday} {time.strftime('%b', then)}"


def run_name(run, config, created):
    """ "AlexNet on MNIST, Quick · 2 Jan 2026 15:04 · 7f3a"; `created` in seconds since 1970."""
    made = time.localtime(created)
    when = f"{made.tm_mday} {time.strftime('%b %Y %H:%M', made)}"
    recipe = RECIPES[config.recipe]["label"]
    return f"{pair_label(config.network, config.dataset)}, {recipe} · {when} · {run.id.rsplit('-', 1)[-1]}"
