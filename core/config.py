"""What a run is told to do: one validated, frozen record."""

import dataclasses
import math

from core.datasets import DATASETS
from core.models import MODELS

# What the best epoch has the most of (1) or the least (-1).
MONITORS = {"validation_loss": -1, "validation_accuracy": 1}


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
    monitor: str = _choice(
        "validation_loss", "Best epoch by", MONITORS, "Training", "The epoch whose weights are kept, tested and saved."
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
        "float32",
        "Precision",
        ("float32", "mixed_bfloat16"),
        "Machine",
        "bfloat16 is faster on recent GPUs, and on processors that compute in it.",
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
        check_names(values)
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


def check_names(names):
    """Raises ConfigError where one of the names is no setting of a RunConfig."""
    unknown = sorted(set(names) - {field.name for field in dataclasses.fields(RunConfig)})
    if unknown:
        raise ConfigError(f"There is no setting called {unknown[0]!r}.")
