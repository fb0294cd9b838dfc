"""AlexNet (Krizhevsky, Sutskever and Hinton 2012, section 3.5), in one column, without response normalisation."""

# Convolutions of (filters, kernel size, stride, pooled afterwards), and the units of the hidden dense layers.
ARCHITECTURES = {
    "alexnet": {
        "convolutions": (
            (96, 11, 4, True),
            (256, 5, 1, True),
            (384, 3, 1, False),
            (384, 3, 1, False),
            (256, 3, 1, True),
        ),
        "hidden_units": (4096, 4096),
    }
}


def network(blocks, x, architecture):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    for i, (filters, kernel_size, strides, pooled) in enumerate(architecture["convolutions"], start=1):
        x = blocks.convolution(x, filters, kernel_size, f"conv{i}", strides=strides)
        if pooled:
            x = blocks.max_pooling(x, f"pool{i}")
    x = blocks.flatten(x)
    for i, units in enumerate(architecture["hidden_units"], start=1):
        x = blocks.hidden_dense(x, units, f"dense{i}")
    return blocks.classifier(x, "he_normal")
