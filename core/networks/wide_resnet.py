"""Wide residual networks (Zagoruyko and Komodakis 2016, table 1): 6n + 4 layers, with dropout inside the blocks."""

# n, the blocks a stage, and how many times wider than 16-32-64.
ARCHITECTURES = {"wrn16_4": (2, 4), "wrn28_10": (4, 10)}
FILTERS = (16, 32, 64)
_PLAIN = {"bias": False, "initializer": "he_normal", "normalise": False, "activate": False}


def network(blocks, x, architecture):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    count, width = architecture
    x = blocks.convolution(x, FILTERS[0], 3, "conv1", **_PLAIN)
    for stage, filters in enumerate(FILTERS, start=2):
        for i in range(1, count + 1):
            depth = ((stage - 2) * count + i) / (len(FILTERS) * count)
            x = _block(blocks, x, width * filters, f"conv{stage}_{i}", 2 if stage > 2 and i == 1 else 1, depth)
    x = blocks.average_pooling(blocks.activated(x, "last"), "pool")
    return blocks.classifier(x, "he_normal")


def _block(blocks, x, filters, name, strides, depth):
    shortcut, x = x, blocks.activated(x, f"{name}_a")
    if shortcut.shape[-1] != filters:
        shortcut = blocks.convolution(x, filters, 1, f"{name}_shortcut", strides=strides, **_PLAIN)
    x = blocks.convolution(x, filters, 3, f"{name}_a", strides=strides, **_PLAIN)
    x = blocks.dropout(blocks.activated(x, f"{name}_b"), name)
    x = blocks.convolution(x, filters, 3, f"{name}_b", **_PLAIN)
    return blocks.add(x, shortcut, name, depth, activate=False)
