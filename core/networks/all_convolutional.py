"""All convolutional networks (Springenberg, Dosovitskiy, Brox and Riedmiller 2014, tables 1 and 2)."""

# Convolutions of (filters, kernel size, stride, padding); units are dropped after those with a stride. A map for each
# class follows.
ARCHITECTURES = {
    "all_cnn_c": (
        (96, 3, 1, "same"),
        (96, 3, 1, "same"),
        (96, 3, 2, "same"),
        (192, 3, 1, "same"),
        (192, 3, 1, "same"),
        (192, 3, 2, "same"),
        (192, 3, 1, "valid"),
        (192, 1, 1, "same"),
    )
}


def network(blocks, x, convolutions):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    # The paper drops 20 % of the image, and 50 % further on.
    x = blocks.dropout(x, "image", 0.2 / 0.5)
    for i, (filters, kernel_size, strides, padding) in enumerate(convolutions, start=1):
        options = {"strides": strides, "padding": padding, "initializer": "he_normal"}
        x = blocks.convolution(x, filters, kernel_size, f"conv{i}", **options)
        if strides > 1:
            x = blocks.dropout(x, f"conv{i}")
    return blocks.convolved_classifier(x, "class_maps", "he_normal")
