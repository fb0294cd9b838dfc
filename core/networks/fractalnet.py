"""FractalNet (Larsson, Maire and Shakhnarovich 2016, section 3), with drop-path while it trains (section 4.1)."""

# The filters of each block, and its columns: column c (from 0) has 2^c convolutions one after another.
ARCHITECTURES = {"fractalnet20": {"filters": (64, 128, 256, 512, 512), "columns": 3}}
_OPTIONS = {"bias": False, "initializer": "he_normal"}


def network(blocks, x, architecture):
    """From preprocessed images (batch, size, size, channels) to logits (batch, classes)."""
    blocks.choose_column(x, architecture["columns"])
    for number, filters in enumerate(architecture["filters"], start=1):
        x = _block(blocks, x, filters, architecture["columns"], f"block{number}")
        # The paper drops nothing after the first block, and the more the later.
        x = blocks.dropout(x, f"block{number}", (number - 1) / (len(architecture["filters"]) - 1))
        x = blocks.max_pooling(x, f"pool{number}")
    return blocks.classifier(blocks.flatten(x), "he_normal")


def _block(blocks, x, filters, columns, name):
    paths, steps = dict.fromkeys(range(columns), x), 2 ** (columns - 1)
    for step in range(1, steps + 1):
        # Those with a convolution that ends here; they join.
        ending = [column for column in paths if step % (steps // 2**column) == 0]
        for column in ending:
            paths[column] = blocks.convolution(paths[column], filters, 3, f"{name}_column{column}_{step}", **_OPTIONS)
        joined = blocks.join({column: paths[column] for column in ending}, f"{name}_join{step}")
        paths |= dict.fromkeys(ending, joined)
    return joined
