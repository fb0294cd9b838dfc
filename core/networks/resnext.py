"""ResNeXt for small images (Xie, Girshick, Dollár, Tu and He 2016, section 5.3): 9n + 2 layers."""

# n, the blocks a stage; the groups of the wide convolutions; the filters of one group in the first stage.
ARCHITECTURES = {"resnext29_8x64d": (3, 8, 64)}
STEM, FILTERS = 64, (256, 512, 1024)
_OPTIONS = {"bias": False, "initializer": "he_normal"}


def network(blocks, x, architecture):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    count, groups, width = architecture
    x = blocks.convolution(x, STEM, 3, "conv1", **_OPTIONS)
    for stage, filters in enumerate(FILTERS, start=2):
        inner = groups * width * filters // FILTERS[0]
        for i in range(1, count + 1):
            depth = ((stage - 2) * count + i) / (len(FILTERS) * count)
            strides = 2 if stage > 2 and i == 1 else 1
            x = _block(blocks, x, (inner, groups, filters), f"conv{stage}_{i}", strides, depth)
    x = blocks.average_pooling(x, "pool")
    return blocks.classifier(x, "he_normal")


def _block(blocks, x, sizes, name, strides, depth):
    inner, groups, filters = sizes
    shortcut = x
    if x.shape[-1] != filters:
        options = _OPTIONS | {"strides": strides, "activate": False}
        shortcut = blocks.convolution(x, filters, 1, f"{name}_shortcut", **options)
    x = blocks.convolution(x, inner, 1, f"{name}_a", **_OPTIONS)
    x = blocks.grouped_convolution(x, inner, 3, groups, f"{name}_b", strides=strides, dropout=True, **_OPTIONS)
    x = blocks.convolution(x, filters, 1, f"{name}_c", activate=False, **_OPTIONS)
    return blocks.add(x, shortcut, name, depth)
