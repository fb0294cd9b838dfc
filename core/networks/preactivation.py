"""Residual networks that normalise and activate before each convolution (He, Zhang, Ren and Sun 2016, section 4.2):
9n + 2 layers, in bottlenecks.
"""

# n, the blocks a stage.
ARCHITECTURES = {"preact_resnet164": 18, "preact_resnet1001": 111}
FILTERS = (16, 32, 64)
EXPANSION = 4
_PLAIN = {"bias": False, "initializer": "he_normal", "normalise": False, "activate": False}


def network(blocks, x, count):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    x = blocks.convolution(x, FILTERS[0], 3, "conv1", **_PLAIN)
    for stage, filters in enumerate(FILTERS, start=2):
        for i in range(1, count + 1):
            depth = ((stage - 2) * count + i) / (len(FILTERS) * count)
            x = _block(blocks, x, filters, f"conv{stage}_{i}", 2 if stage > 2 and i == 1 else 1, depth)
    x = blocks.average_pooling(blocks.activated(x, "last"), "pool")
    return blocks.classifier(x, "he_normal")


def _block(blocks, x, filters, name, strides, depth):
    shortcut, x = x, blocks.activated(x, f"{name}_a")
    if shortcut.shape[-1] != EXPANSION * filters:
        # The shortcut that widens comes after the activation too.
        shortcut = blocks.convolution(x, EXPANSION * filters, 1, f"{name}_shortcut", strides=strides, **_PLAIN)
    x = blocks.convolution(x, filters, 1, f"{name}_a", strides=strides, **_PLAIN)
    x = blocks.convolution(blocks.activated(x, f"{name}_b"), filters, 3, f"{name}_b", dropout=True, **_PLAIN)
    x = blocks.convolution(blocks.activated(x, f"{name}_c"), EXPANSION * filters, 1, f"{name}_c", **_PLAIN)
    return blocks.add(x, shortcut, name, depth, activate=False)
