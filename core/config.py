"""What a run is told to do: one validated, frozen record, and the recipes that fill it in."""

import dataclasses
import math

from core.datasets import DATASETS
from core.models import MODELS


class ConfigError(ValueError):
    """A configuration that cannot be trained; the message is one sentence for a person."""


def _number(default, label, low, high, group, help, zero_means=None):
    """A numeric field in [low, high]; `zero_means` says what 0, allowed besides, stands for."""
    return dataclasses.field(
        default=default,
        metadata={"label": label, "low": low, "high": high, "group": group, "help": help, "zero_means": zero_means},
    )


def _choice(default, label, choices, group, help):
    return dataclasses.field(
        default=default, metadata={"label": label, "choices": tuple(choices), "group": group, "help": help}
    )


def _switch(default, label, group, help):
    return dataclasses.field(default=default, metadata={"label": label, "group": group, "help": help})


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Everything that decides a run's result. Build one with `make_config`.

    Field metadata (label, group, help and either low/high or choices) is what the Train page, the command line
    and the validation are made from.

    Raises:
        ConfigError: a field has the wrong type, is out of range or is not one of its choices.
    """

    model: str = _choice("alexnet", "Network", MODELS, "Run", "Which network to train.")
    dataset: str = _choice("mnist", "Dataset", DATASETS, "Run", "Which images to train on.")
    recipe: str = _choice("quick", "Recipe", ("report", "quick", "modern"), "Run", "Where the defaults come from.")
    seed: int = _number(0, "Seed", 0, 2**31 - 1, "Run", "Same seed, same shuffling, initial weights and shifts.")

    epochs: int = _number(100, "Epochs", 1, 500, "Training", "Passes over the training images, at most.")
    batch_size: int = _number(128, "Batch size", 1, 1024, "Training", "Images in one step.")
    train_examples: int = _number(0, "Training images", 10, 60_000, "Training", "Use only the first so many.", "all")
    validation_split: float = _number(
        0.1, "Validation split", 0.01, 0.5, "Training", "Share of the training images, from the front, held back."
    )
    label_smoothing: float = _number(
        0.0, "Label smoothing", 0.0, 0.5, "Training", "Share of the target spread over all classes."
    )
    weight_averaging: float = _number(
        0.0, "Weight averaging", 0.5, 0.9999, "Training", "Momentum of the running mean that is evaluated.", "off"
    )
    early_stopping_patience: int = _number(
        10, "Early stopping patience", 1, 500, "Training", "Epochs without a better validation loss.", "off"
    )

    optimizer: str = _choice(
        "adam", "Optimizer", ("adam", "adamw", "sgd"), "Optimizer", "sgd is Nesterov's, with momentum."
    )
    learning_rate: float = _number(
        1e-3, "Learning rate", 1e-7, 10.0, "Optimizer", "At the start, or at the peak of one cycle."
    )
    momentum: float = _number(0.9, "Momentum", 0.0, 0.999, "Optimizer", "For sgd only.")
    weight_decay: float = _number(0.0, "Weight decay", 0.0, 1.0, "Optimizer", "For adamw and sgd; not in the loss.")
    schedule: str = _choice(
        "plateau", "Schedule", ("plateau", "one_cycle", "constant"), "Optimizer", "How the learning rate moves."
    )
    plateau_patience: int = _number(3, "Plateau patience", 1, 100, "Optimizer", "Epochs to wait before lowering.")
    plateau_factor: float = _number(math.sqrt(0.1), "Plateau factor", 0.01, 0.99, "Optimizer", "Times this, each time.")
    min_learning_rate: float = _number(5e-7, "Lowest learning rate", 0.0, 1.0, "Optimizer", "Plateaus stop here.")
    warmup: float = _number(0.25, "Warm-up", 0.0, 0.9, "Optimizer", "Share of one cycle spent rising to the peak.")

    image_size: int = _number(64, "Image size", 16, 224, "Network", "Images are resized to this many pixels a side.")
    activation: str = _choice(
        "relu", "Activation", ("relu", "leaky_relu"), "Network", "leaky_relu has the report's slope of 0.3."
    )
    batch_normalization: bool = _switch(False, "Batch normalisation", "Network", "After every weighted hidden layer.")
    batch_normalization_momentum: float = _number(
        0.99,
        "Batch normalisation momentum",
        0.5,
        0.999,
        "Network",
        "Of the running means that validation and test use.",
    )
    dropout: float = _number(0.3, "Dropout", 0.0, 0.9, "Network", "Share of units dropped while training.")
    l2: float = _number(0.0, "Convolution L2", 0.0, 0.1, "Network", "Weight penalty; part of every loss shown.")
    divide_by_deviation: bool = _switch(
        False, "Divide by deviation", "Network", "After the mean is subtracted; off keeps pixels on the 0-255 scale."
    )

    shift: float = _number(0.1, "Shift", 0.0, 0.5, "Augmentation", "Largest random shift, as a share of the side.")
    flip: bool = _switch(True, "Horizontal flips", "Augmentation", "Mirror half of the images, at random.")

    precision: str = _choice(
        "float32", "Precision", ("float32", "mixed_bfloat16"), "Machine", "bfloat16 is faster on recent GPUs only."
    )
    record_test_predictions: bool = _switch(
        False, "Test answers per epoch", "Machine", "Recorded for looking back, never used to choose anything."
    )

    def __post_init__(self):
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, _checked(field, getattr(self, field.name)))

    def split_sizes(self, available):
        """How many of so many training images are trained on, and how many are held back to validate."""
        count = min(self.train_examples or available, available)
        held_back = max(1, round(count * self.validation_split))
        return count - held_back, held_back

    def to_dict(self):
        """The fields as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values):
        """The inverse of `to_dict`. Raises ConfigError on unknown names."""
        _reject_unknown(values)
        return cls(**values)


def _checked(field, value):
    """The value in the field's own type. Raises ConfigError."""
    meta, label = field.metadata, field.metadata["label"]
    if field.type is bool:
        if not isinstance(value, bool):
            raise ConfigError(f"{label} is either true or false, not {value!r}.")
        return value
    if "choices" in meta:
        if value not in meta["choices"]:
            raise ConfigError(f"{label} is one of {', '.join(meta['choices'])}, not {value!r}.")
        return value
    bounds = f"between {meta['low']:g} and {meta['high']:g}" + (
        f", or 0 for {meta['zero_means']}" if meta["zero_means"] else ""
    )
    if isinstance(value, bool) or not isinstance(value, int | float) or not -math.inf < value < math.inf:
        raise ConfigError(f"{label} is a number {bounds}, not {value!r}.")
    if field.type is int and value != int(value):
        raise ConfigError(f"{label} is a whole number {bounds}, not {value!r}.")
    if not meta["low"] <= value <= meta["high"] and not (meta["zero_means"] and value == 0):
        raise ConfigError(f"{label} is {bounds}, not {value!r}.")
    return field.type(value)


def _reject_unknown(names):
    unknown = sorted(set(names) - {field.name for field in dataclasses.fields(RunConfig)})
    if unknown:
        raise ConfigError(f"There is no setting called {unknown[0]!r}.")


ONE_CYCLE = {
    "optimizer": "adamw",
    "schedule": "one_cycle",
    "weight_decay": 0.01,
    "early_stopping_patience": 0,
    "batch_normalization": True,
    # A short run is over before the running means of 0.99 have caught up.
    "batch_normalization_momentum": 0.9,
    "divide_by_deviation": True,
}

# Each rule is (where, values): the values hold for runs whose fields equal everything in `where`; later rules win.
RECIPES = {
    "report": {
        "label": "Report",
        "about": "The report's own recipe, to the letter: Adam, up to 100 epochs, early stopping.",
        "rules": (
            ({}, {"record_test_predictions": True}),
            ({"model": "vgg16"}, {"l2": 1e-4}),
            (
                {"model": "resnet34"},
                {
                    "activation": "leaky_relu",
                    "batch_normalization": True,
                    "dropout": 0.2,
                    "l2": 1e-4,
                    "early_stopping_patience": 15,
                },
            ),
        ),
    },
    "quick": {
        "label": "Quick",
        "about": "For a lesson: part of the images, 32 pixels a side, a few epochs. Minutes on a laptop.",
        "rules": (
            ({}, ONE_CYCLE | {"image_size": 32, "train_examples": 12_000, "epochs": 4, "flip": False}),
            ({"dataset": "cifar10"}, {"flip": True, "train_examples": 20_000}),
            # At 1e-3 its first epochs validate at chance. Fewer images, because it is the slowest.
            ({"model": "vgg16"}, {"learning_rate": 5e-4, "train_examples": 8_000}),
            ({"model": "vgg16", "dataset": "cifar10"}, {"train_examples": 12_000}),
            ({"model": "resnet34"}, {"dropout": 0.0}),
        ),
    },
    "modern": {
        "label": "Modern",
        "about": "Today's practice with the same three networks, in about a tenth of the report's epochs.",
        "rules": (
            (
                {},
                ONE_CYCLE
                | {
                    "epochs": 9,
                    "label_smoothing": 0.1,
                    "weight_averaging": 0.99,
                    "weight_decay": 0.05,
                    "record_test_predictions": True,
                },
            ),
            ({"dataset": "mnist"}, {"flip": False, "epochs": 6}),
            ({"model": "alexnet", "dataset": "fashion_mnist"}, {"epochs": 8}),
            ({"model": "alexnet", "dataset": "cifar10"}, {"epochs": 10}),
            ({"model": "vgg16"}, {"learning_rate": 5e-4}),
            ({"model": "resnet34"}, {"dropout": 0.0}),
        ),
    },
}


def make_config(model, dataset, recipe="quick", **overrides):
    """The recipe's RunConfig for one pair, with any field overridden.

    Raises:
        ConfigError: an unknown network, dataset, recipe or setting, or a value out of range.
    """
    names = {"model": model, "dataset": dataset, "recipe": recipe}
    RunConfig(**names)
    values = dict(names)
    for where, settings in RECIPES[recipe]["rules"]:
        if all(names[name] == wanted for name, wanted in where.items()):
            values |= settings
    _reject_unknown(overrides)
    return RunConfig(**values | overrides)


def overrides(config):
    """The fields in which a RunConfig departs from its recipe, name -> value."""
    recipe = make_config(config.model, config.dataset, config.recipe).to_dict()
    return {name: value for name, value in config.to_dict().items() if value != recipe[name]}
