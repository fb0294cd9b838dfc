"""Residual networks for large images (He, Zhang, Ren and Sun 2015, table 1 and section 3.3, option B)."""

# Blocks a stage, whether they are bottlenecks, and whether the convolutions have biases: resnet34 is the report's,
# whose program left Keras' defaults in place; the paper's networks have none, as normalisation follows.
ARCHITECTURES = {
    "resnet18": {"blocks": (2, 2, 2, 2)},
    "resnet34": {"blocks": (3, 4, 6, 3), "bias": True, "initializer": "glorot_uniform"},
    "resnet50": {"blocks": (3, 4, 6, 3), "bottleneck": True},
    "resnet101": {"blocks": (3, 4, 23, 3), "bottleneck": True},
    "resnet152": {"blocks": (3, 8, 36, 3), "bottleneck": True},
}
FILTERS = (64, 128, 256, 512)
# The last convolution of a bottleneck has so many times the filters of the others.
EXPANSION = 4


def network(blocks, x, architecture):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    options = {
        "bias": architecture.get("bias", False),
        "initializer": architecture.get("initializer", "he_normal"),
        "dropout": True,
    }
    block = _bottleneck if architecture.get("bottleneck") else _basic_block
    if blocks.stem == "3x3":
        x = blocks.convolution(x, 64, 3, "conv1", **options)
    else:
        x = blocks.convolution(x, 64, 7, "conv1", strides=2, **options)
        x = blocks.max_pooling(x, "pool1", pool_size=3)
    total, done = sum(architecture["blocks"]), 0
    for stage, (count, filters) in enumerate(zip(architecture["blocks"], FILTERS, strict=True), start=2):
        for i in range(1, count + 1):
            done += 1
            strides = 2 if stage > 2 and i == 1 else 1
            x = block(blocks, x, filters, f"conv{stage}_{i}", options | {"strides": strides}, done / total)
    x = blocks.average_pooling(x, "pool5")
    return blocks.classifier(x, "glorot_uniform")


def _basic_block(blocks, x, filters, name, options, depth):
    shortcut = _shortcut(blocks, x, filters, name, options)
    x = blocks.convolution(x, filters, 3, f"{name}_a", **options)
    x = blocks.convolution(x, filters, 3, f"{name}_b", activate=False, **options | {"strides": 1})
    return blocks.add(x, shortcut, name, depth)


def _bottleneck(blocks, x, filters, name, options, depth):
    shortcut = _shortcut(blocks, x, EXPANSION * filters, name, options)
    x = blocks.convolution(x, filters, 1, f"{name}_a", **options)
    options = options | {"strides": 1}
    x = blocks.convolution(x, filters, 3, f"{name}_b", **options)
    x = blocks.convolution(x, EXPANSION * filters, 1, f"{name}_c", activate=False, **options)
    return blocks.add(x, shortcut, name, depth)


def _shortcut(blocks, x, filters, name, options):
    if options["strides"] == 1 and x.shape[-1] == filters:
        return x
    return blocks.convolution(x, filters, 1, f"{name}_shortcut", activate=False, **options)
