"""Densely connected networks for small images (Huang, Liu, van der Maaten and Weinberger 2016, section 3)."""

# Layers a block; maps that each adds, k; the stem's filters; the share of maps that a transition keeps; whether a layer
# narrows to 4k maps first (B).
ARCHITECTURES = {
    "densenet40": {"layers": 12, "growth": 12, "stem": 16, "kept": 1.0, "bottleneck": False},
    "densenet_bc100": {"layers": 16, "growth": 12, "stem": 24, "kept": 0.5, "bottleneck": True},
}
BLOCKS = 3
_PLAIN = {"bias": False, "initializer": "he_normal", "normalise": False, "activate": False}


def network(blocks, x, architecture):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    x = blocks.convolution(x, architecture["stem"], 3, "conv1", **_PLAIN)
    for block in range(1, BLOCKS + 1):
        if block > 1:
            x = _transition(blocks, x, architecture["kept"], f"transition{block - 1}")
        for i in range(1, architecture["layers"] + 1):
            x = _layer(blocks, x, architecture, f"dense{block}_{i}")
    x = blocks.average_pooling(blocks.activated(x, "last"), "pool")
    return blocks.classifier(x, "he_normal")


def _layer(blocks, x, architecture, name):
    before, growth = x, architecture["growth"]
    if architecture["bottleneck"]:
        x = blocks.activated(x, f"{name}_narrowed")
        x = blocks.convolution(x, 4 * growth, 1, f"{name}_narrowed", dropout=True, **_PLAIN)
    x = blocks.convolution(blocks.activated(x, name), growth, 3, name, dropout=True, **_PLAIN)
    return blocks.concatenate([before, x], f"{name}_joined")


def _transition(blocks, x, kept, name):
    filters = int(kept * x.shape[-1])
    x = blocks.convolution(blocks.activated(x, name), filters, 1, name, dropout=True, **_PLAIN)
    return blocks.mean_pooling(x, f"{name}_pool")
