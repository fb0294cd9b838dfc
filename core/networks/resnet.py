"""Residual networks of basic blocks (He, Zhang, Ren and Sun 2015, table 1 and section 3.3, option B)."""

# Stages of (blocks, filters).
ARCHITECTURES = {"resnet34": ((3, 64), (4, 128), (6, 256), (3, 512))}


def network(blocks, x, stages):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    x = blocks.convolution(x, 64, 7, "conv1", strides=2, dropout=True)
    x = blocks.max_pooling(x, "pool1", pool_size=3)
    for stage, (count, filters) in enumerate(stages, start=2):
        for i in range(1, count + 1):
            x = _basic_block(blocks, x, filters, f"conv{stage}_{i}", strides=2 if stage > 2 and i == 1 else 1)
    x = blocks.average_pooling(x, "pool5")
    return blocks.classifier(x, "glorot_uniform")


def _basic_block(blocks, x, filters, name, strides):
    shortcut = x
    if strides > 1 or x.shape[-1] != filters:
        shortcut = blocks.convolution(x, filters, 1, f"{name}_shortcut", strides=strides, dropout=True, activate=False)
    x = blocks.convolution(x, filters, 3, f"{name}_a", strides=strides, dropout=True)
    x = blocks.convolution(x, filters, 3, f"{name}_b", dropout=True, activate=False)
    return blocks.add(x, shortcut, name)
