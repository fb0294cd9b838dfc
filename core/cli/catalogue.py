"""The commands that say what there is: datasets, networks and settings."""

import pandas as pd
from tqdm import tqdm

from core.config.recipes import make_config
from core.config.run_config import ConfigError, settings_table
from core.datasets.catalogue import DATASETS
from core.datasets.loading import verify
from core.networks.catalogue import NETWORKS


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
    from core.networks.build import build_model
    from core.networks.summary import count_parameters, layer_table

    for config in configs:
        network = build_model(config, DATASETS[dataset]["image_shape"], len(DATASETS[dataset]["classes"]))
        table = pd.DataFrame(layer_table(network))
        count = count_parameters(network)
        table["output_shape"] = ["×".join(map(str, shape)) for shape in table["output_shape"]]
        size, channels = config.image_size, DATASETS[dataset]["image_shape"][2]
        print(f"\n{NETWORKS[config.network]['label']} on {size}×{size}×{channels}, {recipe} recipe\n")
        print(
            table.to_string(index=False, formatters={name: "{:,}".format for name in ("parameters", "multiply_adds")})
        )
        print(f"\n{count.total:,} parameters ({count.not_trainable:,} not trainable), ", end="")
        print(f"{table['multiply_adds'].sum():,} multiply-adds an image")
    return 0


def settings():
    """Print every setting, what it may be and what it does, as a Markdown table."""
    print(settings_table(), end="")
    return 0


def _known(names, registry, kind):
    unknown = [name for name in names if name not in registry]
    if unknown:
        raise ConfigError(f"There is no {kind} called {unknown[0]!r}; there are {', '.join(registry)}.")
    return names or list(registry)
