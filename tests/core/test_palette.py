"""The networks' colours: stable, readable on both themes, and told apart by everybody."""

import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest

from core import palette
from core.networks.catalogue import NETWORKS
from core.palette import NETWORK_COLOURS

CONFIG = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text("utf-8"))
# What the three networks looked like before others could join them: orange, blue and green.
FAMILIAR = ["#E0701A", "#2F7FD6", "#0F9D78"]
# In OKLab times 100; 2 can just be seen.
APART, APART_NORMALLY, UNLIKE = 8, 12, 3


def least(colours):
    """Kind of vision -> the least distance of two of these colours."""
    pairs = list(itertools.combinations(range(len(colours)), 2))
    return {name: min(apart[pair] for pair in pairs) for name, apart in palette.differences(colours).items()}


def test_eight_colours_are_told_apart_under_every_kind_of_vision():
    apart = least(palette.PALETTE[:8])
    assert set(apart) == {"normal", "deuteranopia", "protanopia", "tritanopia"}
    assert min(apart.values()) >= APART
    assert apart["normal"] >= APART_NORMALLY


def test_no_two_of_all_colours_are_alike():
    assert len(palette.PALETTE) >= 32
    assert min(least(palette.PALETTE).values()) >= UNLIKE


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_can_be_seen_on_both_themes(theme):
    background = CONFIG["theme"][theme]["backgroundColor"]
    assert background in palette.BACKGROUNDS
    assert palette.contrasts(palette.PALETTE, background).min() >= 3


def test_text_on_a_networks_colour_can_be_read():
    for colour in palette.PALETTE:
        assert palette.contrasts([colour], palette.ink_on(colour))[0] >= 4.3


def test_the_measures_are_those_that_others_use():
    assert palette.contrasts(["#000000"], "#FFFFFF") == pytest.approx(21)
    # WebAIM's contrast checker says 4.54 of the lightest grey that passes.
    assert palette.contrasts(["#767676"], "#FFFFFF") == pytest.approx(4.54, abs=0.01)
    # Black and white are 100 apart in OKLab's lightness, and stay so for everybody.
    assert {name: apart[0, 1].round(2) for name, apart in palette.differences(["#000000", "#FFFFFF"]).items()} == {
        name: pytest.approx(100, abs=0.1) for name in palette.VISIONS
    }
    # A red and a green that differ for most people, and not for those without green cones.
    red_and_green = {name: apart[0, 1] for name, apart in palette.differences(["#B26200", "#7A7E12"]).items()}
    assert red_and_green["normal"] > 2 * red_and_green["deuteranopia"]


def test_the_list_is_what_the_generator_makes():
    assert palette.generate(len(palette.PALETTE)) == list(palette.PALETTE)


def test_a_network_keeps_its_colour_however_many_are_added():
    many = palette.colours(100)
    assert len(set(many)) == 100
    assert [palette.colours(count) for count in (0, 3, 8)] == [many[:0], many[:3], many[:8]]
    assert many[:32] == list(palette.PALETTE[:32])


def test_each_network_has_the_colour_of_its_place_in_the_catalogue():
    assert list(NETWORK_COLOURS) == list(NETWORKS)
    assert list(NETWORK_COLOURS.values()) == palette.colours(len(NETWORKS))
    assert len(set(NETWORK_COLOURS.values())) == len(NETWORKS)


def test_the_first_three_look_as_they_always_did():
    apart = palette.differences([*FAMILIAR, *palette.PALETTE[:3]])["normal"]
    assert max(np.diagonal(apart[:3, 3:])) < 3


def test_the_shades_of_a_colour_are_readable_of_one_hue_and_told_apart():
    for colour in palette.PALETTE:
        shades = palette.shades(colour)
        assert shades[0] == colour
        assert min(palette.contrasts(shades, background).min() for background in palette.BACKGROUNDS) >= 3
        apart = palette.differences(shades)["normal"]
        assert apart[np.triu_indices(3, 1)].min() >= 5
        # As far in lightness as both backgrounds let them, and hardly in anything else.
        assert apart.max() >= 10
