"""Network in Network (Lin, Chen and Yan 2013, section 3), in its authors' CIFAR-10 size."""

# Stages of a wide convolution, (filters, kernel size), and the 1x1 convolutions after it; the last of all has a map for
# each class.
ARCHITECTURES = {"nin": (((192, 5), (160, 96)), ((192, 5), (192, 192)), ((192, 3), (192,)))}


def network(blocks, x, stages):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    for stage, ((filters, kernel_size), small) in enumerate(stages, start=1):
        x = blocks.convolution(x, filters, kernel_size, f"conv{stage}", initializer="he_normal")
        for i, filters in enumerate(small, start=1):
            x = blocks.convolution(x, filters, 1, f"cccp{stage}_{i}", initializer="he_normal")
        if stage < len(stages):
            pooling = blocks.max_pooling if stage == 1 else blocks.mean_pooling
            x = blocks.dropout(pooling(x, f"pool{stage}", pool_size=3), f"pool{stage}")
    return blocks.convolved_classifier(x, "class_maps", "he_normal")
