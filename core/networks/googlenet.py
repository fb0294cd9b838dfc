"""GoogLeNet (Szegedy et al. 2014, table 1), without response normalisation."""

# Stages, with pooling between them, of inception blocks: filters of the 1x1 branch, of the 3x3 branch (narrowed to,
# then), of the 5x5 branch (narrowed to, then) and of the pooled branch. A head follows where True stands.
ARCHITECTURES = {
    "googlenet": (
        (
            ((64, (96, 128), (16, 32), 32), False),
            ((128, (128, 192), (32, 96), 64), False),
        ),
        (
            ((192, (96, 208), (16, 48), 64), True),
            ((160, (112, 224), (24, 64), 64), False),
            ((128, (128, 256), (24, 64), 64), False),
            ((112, (144, 288), (32, 64), 64), True),
            ((256, (160, 320), (32, 128), 128), False),
        ),
        (
            ((256, (160, 320), (32, 128), 128), False),
            ((384, (192, 384), (48, 128), 128), False),
        ),
    )
}


def network(blocks, x, stages):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    heads = 0
    x = _stem(blocks, x)
    for stage, inceptions in enumerate(stages, start=3):
        if stage > 3:
            x = blocks.max_pooling(x, f"pool{stage}", pool_size=3)
        for letter, (filters, head) in zip("abcde", inceptions, strict=False):
            x = _inception(blocks, x, filters, f"inception{stage}{letter}")
            if head:
                heads += 1
                blocks.auxiliary_head(x, heads)
    x = blocks.dropout(blocks.average_pooling(x, "pool6"), "pool6")
    return blocks.classifier(x, "glorot_uniform")


def _stem(blocks, x):
    if blocks.stem == "3x3":
        return _convolution(blocks, x, 192, 3, "conv1")
    x = _convolution(blocks, x, 64, 7, "conv1", strides=2)
    x = blocks.max_pooling(x, "pool1", pool_size=3)
    x = _convolution(blocks, x, 64, 1, "conv2_narrowed")
    x = _convolution(blocks, x, 192, 3, "conv2")
    return blocks.max_pooling(x, "pool2", pool_size=3)


def _inception(blocks, x, filters, name):
    ones, (three_narrowed, threes), (five_narrowed, fives), pooled = filters
    branches = [
        _convolution(blocks, x, ones, 1, f"{name}_1x1"),
        _convolution(
            blocks, _convolution(blocks, x, three_narrowed, 1, f"{name}_3x3_narrowed"), threes, 3, f"{name}_3x3"
        ),
        _convolution(
            blocks, _convolution(blocks, x, five_narrowed, 1, f"{name}_5x5_narrowed"), fives, 5, f"{name}_5x5"
        ),
        _convolution(blocks, blocks.max_pooling(x, f"{name}_pool", 3, strides=1), pooled, 1, f"{name}_pooled"),
    ]
    return blocks.concatenate(branches, name)


def _convolution(blocks, x, filters, kernel_size, name, **options):
    return blocks.convolution(x, filters, kernel_size, name, initializer="he_normal", **options)
