"""The recipes: named sets of hyperparameters, the RunConfig that one makes for a pair, and the command for it."""

import dataclasses
import functools

from core.config import papers
from core.config.run_config import RunConfig, check_names, check_value, option
from core.networks.catalogue import characteristics

ONE_CYCLE = {
    "optimizer": "adamw",
    "schedule": "one_cycle",
    "weight_decay": 0.01,
    "early_stopping_patience": 0,
    "batch_normalization": True,
    # A short run is over before the running means of 0.99 have caught up.
    "batch_normalization_momentum": 0.9,
    "standardize": True,
}

# What a family's paper computes with, under every recipe.
LENET = ({"family": "lenet"}, {"activation": "scaled_tanh", "dropout": 0.0})
SMALL_IMAGES = ({"small_images": True}, {"image_size": 32})
# In batches of 128 the largest want more than 24 GB while they train.
HUGE = ({"huge": True}, {"batch_size": 64})
STOCHASTIC = (
    ({"stochastic": True}, {"stochastic_depth": 0.5}),
    ({"family": "fractalnet"}, {"stochastic_depth": 0.15}),
)

# Each rule is (where, values): the values hold for runs about which everything in `where` is true; later rules win.
# `where` may name the dataset, the network's family, and whether it has traits of `core.networks.catalogue.TRAITS`; it
# never names a network, so that one added tomorrow gets what its traits say.
RECIPES = {
    "report": {
        "label": "Baseline",
        "about": "The report's own recipe, to the letter: Adam, up to 100 epochs, early stopping.",
        "rules": (
            ({}, {"record_test_predictions": True}),
            ({"deep": True}, {"l2": 1e-4}),
            ({"batch_normalized": True}, {"batch_normalization": True}),
            # Without hidden dense layers it is the convolutions that drop units, which harms sooner.
            ({"hidden_dense": False}, {"dropout": 0.2}),
            ({"family": "resnet"}, {"activation": "leaky_relu", "early_stopping_patience": 15}),
            SMALL_IMAGES,
            HUGE,
            LENET,
            *STOCHASTIC,
        ),
    },
    "quick": {
        "label": "Quick",
        "about": "For a lesson: part of the images, 32 pixels a side, a few epochs. Minutes on a laptop.",
        "rules": (
            ({}, ONE_CYCLE | {"image_size": 32, "train_examples": 12_000, "epochs": 4, "flip": False}),
            ({"dataset": "cifar10"}, {"flip": True, "train_examples": 20_000}),
            # At 1e-3 its first epochs validate at chance.
            ({"deep": True, "residual": False}, {"learning_rate": 5e-4}),
            # Fewer images, because it is the slowest.
            ({"costly": True}, {"train_examples": 8_000}),
            ({"costly": True, "dataset": "cifar10"}, {"train_examples": 12_000}),
            ({"hidden_dense": False}, {"dropout": 0.0}),
            HUGE,
            LENET,
            # Its codes are far apart, and want large steps.
            ({"family": "lenet"}, {"learning_rate": 1e-2}),
            *STOCHASTIC,
        ),
    },
    "modern": {
        "label": "Modern",
        "about": "Today's practice with the same networks, in a quarter of the report's epochs or fewer.",
        "rules": (
            (
                {},
                ONE_CYCLE
                | {
                    "epochs": 9,
                    "label_smoothing": 0.1,
                    # Smoothed targets make a network less sure than the plain validation loss would have it.
                    "monitor": "validation_accuracy",
                    "weight_averaging": 0.99,
                    "weight_decay": 0.05,
                    "record_test_predictions": True,
                },
            ),
            ({"deep": False}, {"epochs": 10}),
            ({"dataset": "mnist"}, {"flip": False, "epochs": 6}),
            # The images' own size, as its later users took it: with 64 pixels a side an epoch takes four times as long.
            ({"costly": True}, {"image_size": 32, "epochs": 21}),
            ({"costly": True, "dataset": "mnist"}, {"epochs": 12}),
            ({"family": "vgg"}, {"dropout": 0.2, "weight_decay": 0.3, "warmup": 0.15}),
            ({"hidden_dense": False}, {"dropout": 0.0}),
            ({"family": "resnet", "dataset": "mnist"}, {"epochs": 12, "weight_decay": 0.3}),
            # At 64 pixels its last stage sees 2 x 2, and its next to last 4 x 4.
            (
                {"family": "resnet", "dataset": "cifar10"},
                {"epochs": 15, "learning_rate": 2e-3, "weight_decay": 0.3, "image_size": 80},
            ),
            # Their first layers leave a sixteenth of the pixels.
            ({"family": "resnet", "costly": True, "dataset": "mnist"}, {"image_size": 64}),
            ({"family": "resnet", "costly": True, "dataset": "fashion_mnist"}, {"image_size": 64}),
            SMALL_IMAGES,
            ({"small_images": True, "batch_normalized": True}, {"learning_rate": 2e-3}),
            HUGE,
            LENET,
            # So small that many epochs cost little; its codes are far apart, and want large steps.
            ({"family": "lenet"}, {"epochs": 20, "learning_rate": 1e-2}),
            *STOCHASTIC,
        ),
    },
    "paper": {
        "label": "Paper",
        "about": "Each network as its own paper trained it. That can take days: the buttons say how long here.",
        "rules": tuple((where, settings) for where, settings, _ in papers.RULES),
    },
}


def make_config(network, dataset, recipe="quick", **overrides):
    """The recipe's RunConfig for one pair, with any field overridden.

    Raises:
        ConfigError: an unknown network, dataset, recipe or setting, or a value out of range.
    """
    # Before anything is looked up by them: they may be no names at all.
    for name, value in (("network", network), ("dataset", dataset), ("recipe", recipe)):
        check_value(name, value)
    config = _unchanged(network, dataset, recipe)
    if not overrides:
        return config
    check_names(overrides)
    return dataclasses.replace(config, **overrides)


@functools.cache
def _unchanged(network, dataset, recipe):
    """The recipe's own RunConfig. Kept, since a page asks for that of every pair."""
    values, facts = {}, characteristics(network) | {"dataset": dataset}
    for where, settings in RECIPES[recipe]["rules"]:
        if all(facts[name] == wanted for name, wanted in where.items()):
            values |= settings
    return RunConfig(network=network, dataset=dataset, recipe=recipe, **values)


def overrides(config):
    """The fields in which a RunConfig departs from its recipe, name -> value."""
    recipe = make_config(config.network, config.dataset, config.recipe).to_dict()
    return {name: value for name, value in config.to_dict().items() if value != recipe[name]}


def training_command(config):
    """The line for a terminal that starts a training with this RunConfig."""
    words = [f"python -m core train {config.network} {config.dataset} --recipe {config.recipe}"]
    for name, value in overrides(config).items():
        if isinstance(value, bool):
            words.append(option(name if value else f"no_{name}"))
        else:
            words.append(f"{option(name)} {value}")
    return " ".join(words)
