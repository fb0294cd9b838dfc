"""The commands that say what there is: datasets, networks and settings."""

import pandas as pd
from tqdm import tqdm

from core.config.recipes import make_config
from core.config.run_config import ConfigError, settings_table
from core.datasets.catalogue import DATASETS
from core.datasets.loading import verify
from core.networks.catalogue import NETWORKS
from core.networks.sizes import layers, size, times


def data(datasets, folder):
    """Fetch the datasets and verify every byte."""
    for name in _known(datasets, DATASETS, "dataset"):
        with tqdm(
            total=1.0, desc=DATASETS[name]["label"], bar_format="{desc}: {percentage:3.0f}% {bar} {elapsed}"
        ) as bar:

            def show(message, fraction, bar=bar):
                bar.set_description_str(message, refresh=False)
                bar.update((fraction or 0) - bar.n)

            facts = verify(name, folder, show)
            bar.update(1 - bar.n)
        print(f"{DATASETS[name]['label']} is complete, from {facts['source']}, in {facts['folder']}")
        for part, digest in facts["sha256"].items():
            print(f"  {part:<13} sha256 {digest}")
    return 0


def networks(networks, dataset, recipe, **settings):
    """Print each network layer by layer."""
    names = _known(networks, NETWORKS, "network")
    configs = [make_config(name, dataset, recipe, **settings) for name in names]
    for config in configs:
        table = pd.DataFrame([_row(layer) for layer in layers(config)])
        counted, side, channels = size(config), config.image_size, DATASETS[dataset]["image_shape"][2]
        print(f"\n{NETWORKS[config.network]['label']} on {side}×{side}×{channels}, {recipe} recipe\n")
        print(table.to_string(index=False))
        print(f"\n{counted.parameters:,} parameters ({counted.not_trainable:,} not trainable), ", end="")
        print(f"{counted.multiply_adds:,} multiply-adds an image")
    return 0


def _row(layer):
    """A core.networks.sizes.Layer as people read it."""
    return {
        "layer": layer.name,
        "what it does": layer.words + ", only while it trains" * layer.training_only,
        "output": times(layer.shape),
        "parameters": f"{layer.parameters:,}",
        "multiply-adds": f"{layer.multiply_adds:,}",
        "receptive field": "all" if layer.receptive_field is None else f"{layer.receptive_field:,}",
        "output bytes": f"{layer.activation_bytes:,}",
    }


def settings():
    """Print every setting, what it may be and what it does, as a Markdown table."""
    print(settings_table(), end="")
    return 0


def _known(names, registry, kind):
    unknown = [name for name in names if name not in registry]
    if unknown:
        raise ConfigError(f"There is no {kind} called {unknown[0]!r}; there are {', '.join(registry)}.")
    return names or list(registry)
