"""Residual networks for small images (He, Zhang, Ren and Sun 2015, section 4.2): 6n + 2 layers, shortcuts without
weights (option A).
"""

# n, the blocks a stage.
ARCHITECTURES = {"resnet20": 3, "resnet56": 9, "resnet110": 18, "resnet110_stochastic": 18}
FILTERS = (16, 32, 64)
_OPTIONS = {"bias": False, "initializer": "he_normal"}


def network(blocks, x, count):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    x = blocks.convolution(x, FILTERS[0], 3, "conv1", **_OPTIONS)
    for stage, filters in enumerate(FILTERS, start=2):
        for i in range(1, count + 1):
            depth = ((stage - 2) * count + i) / (len(FILTERS) * count)
            x = _block(blocks, x, filters, f"conv{stage}_{i}", depth)
    x = blocks.average_pooling(x, "pool")
    return blocks.classifier(x, "he_normal")


def _block(blocks, x, filters, name, depth):
    shortcut, strides = x, 1
    if x.shape[-1] != filters:
        shortcut, strides = blocks.thinned(x, filters, name), 2
    x = blocks.convolution(x, filters, 3, f"{name}_a", strides=strides, dropout=True, **_OPTIONS)
    x = blocks.convolution(x, filters, 3, f"{name}_b", activate=False, **_OPTIONS)
    return blocks.add(x, shortcut, name, depth)
