"""LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998, section II.B), with the partly connected C3 and the fixed output."""

# The maps of S2 that each map of C3 sees (table I).
_C3 = (
    *((i, (i + 1) % 6, (i + 2) % 6) for i in range(6)),
    *((i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6) for i in range(6)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    tuple(range(6)),
)
ARCHITECTURES = {"lenet5": {"c1": 6, "c3": _C3, "c5": 120, "f6": 84}}

# What F6 should give for each class: the ten digits as figure 3 draws them, 7 pixels wide and 12 high.
_FIGURES = """
.#####. ...##.. .#####. ####### .#####. .#####. ..####. ####### .#####. .#####.
....... ..###.. ....... .....## ....... ....... .##.... .....## ##...## ##..###
..###.. .####.. .#####. ....##. ....... ####### ##..... .....## ##...## ##...##
.##.##. ...##.. ##...## ...##.. .##..## ##..... ##..... ....##. ##...## ##...##
##...## ...##.. #....## ..####. .##..## ##..... ######. ...##.. .#####. ##..###
##...## ...##.. ....##. .....## ###..## .####.. ###..## ...##.. ##...## .######
##...## ...##.. ..###.. .....## ##...## ..####. ##...## ..##... ##...## .....##
##...## ...##.. .##.... .....## ##...## .....## ##...## ..##... ##...## .....##
.##.##. ...##.. ##..... ##...## ##..### ##...## ###..## ..##... ##...## ....##.
..###.. .###### ####### .#####. .###### .#####. .#####. ..##... .#####. .####..
....... ....... ....... ....... .....## ....... ....... ....... ....... .......
....... ....... ....... ....... .....## ....... ....... ....... ....... .......
"""


def codes():
    """The ±1 codes of the classes, one a row: 10 rows of 84, as nested tuples."""
    rows = [line.split() for line in _FIGURES.split("\n")[1:-1]]
    return tuple(tuple(1 if pixel == "#" else -1 for pixel in "".join(figure)) for figure in zip(*rows, strict=True))


def network(blocks, x, architecture):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    x = blocks.convolution(x, architecture["c1"], 5, "c1", padding="valid")
    x = blocks.subsampling(x, "s2")
    x = blocks.partial_convolution(x, architecture["c3"], 5, "c3")
    x = blocks.subsampling(x, "s4")
    # One value a map, as in the paper, whatever the size of the images.
    x = blocks.convolution(x, architecture["c5"], x.shape[1], "c5", padding="valid")
    x = blocks.hidden_dense(blocks.flatten(x), architecture["f6"], "f6", initializer="glorot_uniform")
    return blocks.fixed_classifier(x, codes())
