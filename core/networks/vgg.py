"""VGG (Simonyan and Zisserman 2014, table 1)."""

HIDDEN_UNITS = (4096, 4096)
# Groups of (3x3 convolutions, filters), each pooled at its end: the paper's configurations A, B, D and E.
ARCHITECTURES = {
    "vgg11": ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512)),
    "vgg13": ((2, 64), (2, 128), (2, 256), (2, 512), (2, 512)),
    "vgg16": ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)),
    "vgg19": ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512)),
}


def network(blocks, x, groups):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    for group, (count, filters) in enumerate(groups, start=1):
        for i in range(1, count + 1):
            x = blocks.convolution(x, filters, 3, f"conv{group}_{i}", initializer="he_normal")
        x = blocks.max_pooling(x, f"pool{group}")
    x = blocks.flatten(x)
    for i, units in enumerate(HIDDEN_UNITS, start=1):
        x = blocks.hidden_dense(x, units, f"dense{i}")
    return blocks.classifier(x, "he_normal")
