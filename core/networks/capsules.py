"""A branching and merging network with homogeneous vector capsules (Byerly, Kalganova and Dear 2020)."""

# Filters of its "valid" 3x3 convolutions, and after which of them it branches off to capsules.
ARCHITECTURES = {"hvc": {"filters": tuple(range(32, 161, 16)), "branches": (3, 6, 9)}}
# Its convolutions take 18 pixels of each side; the paper's images have so many.
SMALLEST = 28


def network(blocks, x, architecture):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    # Smaller images get a border.
    x, branches = blocks.pad(x, SMALLEST, "border"), []
    for i, filters in enumerate(architecture["filters"], start=1):
        options = {"padding": "valid", "bias": False, "gamma": False, "initializer": "he_normal"}
        x = blocks.convolution(x, filters, 3, f"conv{i}", **options)
        if i in architecture["branches"]:
            branches.append(blocks.capsules(x, f"capsules{i}"))
    return blocks.merged(branches)
