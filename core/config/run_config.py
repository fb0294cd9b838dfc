"""What a run is told to do: one validated, frozen record. Every setting is declared here, once."""

import dataclasses
import math

from core.config.fields import Choice, Number, Switch, UnsoundError, figure, shown
from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS

# What the best epoch has the most of (1) or the least (-1).
MONITORS = {"validation_loss": -1, "validation_accuracy": 1}


class ConfigError(UnsoundError):
    """A configuration that cannot be trained; the message is one sentence for a person."""


def _setting(default, kind, label, group, help):
    """A field of RunConfig: `help` is a sentence or two, to which `described` adds the range."""
    metadata = {"kind": kind, "label": label, "group": group, "help": help}
    return dataclasses.field(default=default, metadata=metadata)


def _number(default, label, low, high, group, help, zero_means=""):
    """A numeric setting in [low, high], whole where its default is; `zero_means` says what 0, allowed besides, does."""
    kind = Number(low, high, whole=isinstance(default, int), zero_means=zero_means)
    return _setting(default, kind, label, group, help)


def _choice(default, label, choices, group, help):
    return _setting(default, Choice(tuple(choices)), label, group, help)


def _switch(default, label, group, help):
    return _setting(default, Switch(), label, group, help)


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Everything that decides a run's result. Build one with `make_config`.

    The metadata of each field (its kind of value, label, group and help) is what the Train page, the command line, the
    validation and the table of settings are made from.

    Raises:
        ConfigError: a field has the wrong type, is out of range or is not one of its choices.
    """

    network: str = _choice("alexnet", "Network", NETWORKS, "Run", "Which network to train.")
    dataset: str = _choice("mnist", "Dataset", DATASETS, "Run", "Which images to train on.")
    recipe: str = _choice(
        "quick", "Recipe", ("report", "quick", "modern", "paper"), "Run", "Where the defaults come from."
    )
    seed: int = _number(
        0,
        "Seed",
        0,
        2**31 - 1,
        "Run",
        "Decides the initial weights, the shuffling and the augmentation. The same seed repeats a run. 0, 1, 2 and so "
        "on are usual: train with several to see how much of a difference is chance.",
    )

    epochs: int = _number(
        100,
        "Epochs",
        1,
        500,
        "Training",
        "How often the network sees every training image, at most; early stopping may end the run sooner. 5 to 20 are "
        "usual with one cycle, up to 100 with plateaus.",
    )
    batch_size: int = _number(
        128,
        "Batch size",
        1,
        1024,
        "Training",
        "Images in one step. 32 to 256 are usual; a larger batch needs more memory and, as a rule, a higher learning "
        "rate.",
    )
    train_examples: int = _number(
        0,
        "Training images",
        10,
        60_000,
        "Training",
        "Uses only the first so many, for a quicker run; those held back to validate are taken from them. All are "
        "usual; 10,000 make a quick run.",
        "all",
    )
    validation_split: float = _number(
        0.1,
        "Validation split",
        0.01,
        0.5,
        "Training",
        "Share of the training images, from the front, that is not trained on but held back, to choose the best epoch. "
        "0.1 is usual.",
    )
    label_smoothing: float = _number(
        0.0,
        "Label smoothing",
        0.0,
        0.5,
        "Training",
        "Share of each target that is spread over all classes, so that the network is less sure of itself. 0 is off; "
        "0.1 is usual.",
    )
    mixup: float = _number(
        0.0,
        "Mixup",
        0.05,
        2.0,
        "Training",
        "Mixes each training image, and its label, with another of its batch: alpha of the beta distribution that the "
        "shares are drawn from (Zhang et al. 2018). The training accuracy then counts the class with the larger share. "
        "0.2 to 1 are usual.",
        "off",
    )
    weight_averaging: float = _number(
        0.0,
        "Weight averaging",
        0.5,
        0.9999,
        "Training",
        "Share of the running mean of the weights that stays at each step; the mean is what is validated, tested and "
        "saved. 0.99 to 0.999 are usual.",
        "off",
    )
    monitor: str = _choice(
        "validation_loss",
        "Best epoch by",
        MONITORS,
        "Training",
        "The epoch with the lowest validation loss, or the highest validation accuracy, is the one whose weights are "
        "kept, tested and saved. The loss is usual; with label smoothing the accuracy is.",
    )
    early_stopping_patience: int = _number(
        10,
        "Early stopping patience",
        1,
        500,
        "Training",
        "Ends the run after so many epochs in a row without a lower validation loss. 10 is usual.",
        "off",
    )

    optimizer: str = _choice(
        "adam",
        "Optimizer",
        ("adam", "adamw", "sgd", "muon"),
        "Optimizer",
        "How gradients become steps: adam is a safe choice, adamw adds weight decay to it, sgd is the older one with "
        "momentum and wants a learning rate some 10 to 100 times higher, muon makes the steps of filters orthogonal "
        "(Jordan et al. 2024) and takes those of adamw for the rest; large networks pay for it in time.",
    )
    learning_rate: float = _number(
        1e-3,
        "Learning rate",
        1e-7,
        10.0,
        "Optimizer",
        "The optimizer's step size: at the start, or at the peak of one cycle. 0.001 is usual for adam, 0.1 for sgd; a "
        "higher one learns faster until it diverges.",
    )
    momentum: float = _number(
        0.9,
        "Momentum",
        0.0,
        0.999,
        "Optimizer",
        "Share of the last step that the next one keeps, with sgd and muon only. 0.9 is usual, 0.95 with muon.",
    )
    nesterov: bool = _switch(
        True,
        "Nesterov",
        "Optimizer",
        "With sgd and muon: takes the gradient where momentum leads and not where it comes from. Older papers do "
        "without; on is usual.",
    )
    weight_decay: float = _number(
        0.0,
        "Weight decay",
        0.0,
        1.0,
        "Optimizer",
        "Draws all weights towards zero, with all but adam, outside of the loss. 0 is off; 0.01 to 0.3 are usual with "
        "adamw and muon.",
    )
    decay: str = _choice(
        "decoupled",
        "Kind of decay",
        ("decoupled", "coupled"),
        "Optimizer",
        "With sgd: decoupled shrinks filters beside the step, and leaves biases and normalisation alone; coupled adds "
        "all weights, times the decay, to their gradients, so that momentum gathers it, as in most papers: 0.0001 to "
        "0.001 are usual.",
    )
    schedule: str = _choice(
        "plateau",
        "Schedule",
        ("plateau", "one_cycle", "triangle", "constant", "steps", "exponential"),
        "Optimizer",
        "How the learning rate moves: plateau lowers it when the validation loss stops falling, one_cycle lets it rise "
        "and fall once over the whole run, triangle does so in straight lines, constant leaves it, steps drops it at "
        "fixed times, exponential a little after each epoch. For short runs one_cycle is usual, for long ones plateau "
        "or steps.",
    )
    drops_at: str = _choice(
        "50 75",
        "Drops at",
        ("50 75", "30 60 80", "57 71 86", "10 25 40 60", "50 75 87.5 93.75"),
        "Optimizer",
        "With the steps schedule: after how many percent of the run the learning rate drops. 50 75 is usual.",
    )
    drop_factor: float = _number(
        0.1,
        "Drop factor",
        0.01,
        0.9999,
        "Optimizer",
        "With the steps schedule, what the learning rate is multiplied by at each drop, 0.1 to 0.2 are usual; with the "
        "exponential one, after each epoch, 0.95 to 0.99 are usual.",
    )
    plateau_patience: int = _number(
        3,
        "Plateau patience",
        1,
        100,
        "Optimizer",
        "With the plateau schedule: epochs in a row without a lower validation loss before the learning rate drops. 3 "
        "to 10 are usual.",
    )
    plateau_factor: float = _number(
        math.sqrt(0.1),
        "Plateau factor",
        0.01,
        0.99,
        "Optimizer",
        "With the plateau schedule: what the learning rate is multiplied by when it drops. 0.1 to 0.5 are usual.",
    )
    min_learning_rate: float = _number(
        5e-7,
        "Lowest learning rate",
        0.0,
        1.0,
        "Optimizer",
        "With the plateau schedule: the learning rate drops no further than this. 0.0000001 to 0.00001 are usual.",
    )
    warmup: float = _number(
        0.25,
        "Warm-up",
        0.0,
        0.9,
        "Optimizer",
        "With one_cycle and triangle: share of the run in which the learning rate rises to its peak. 0.1 to 0.3 are "
        "usual.",
    )
    final_share: float = _number(
        0.07,
        "Final learning rate",
        0.0,
        1.0,
        "Optimizer",
        "With triangle: the learning rate at the end of the run, as a share of its peak (Jordan 2024). 0 to 0.1 are "
        "usual.",
    )

    image_size: int = _number(
        64,
        "Image size",
        16,
        224,
        "Network",
        "Pixels a side to which every image is resized. Twice the side takes four times as long; 32 to 96 are usual "
        "here.",
    )
    stem: str = _choice(
        "paper",
        "Stem",
        ("paper", "3x3"),
        "Network",
        "What stands before the blocks of GoogLeNet and of the ResNets for large images: their paper's wide "
        "convolution with a stride and a pool, or one of 3x3 that keeps small images whole, for up to 16 times the "
        "work. At 32 pixels a side 3x3 is usual, at 64 and more paper.",
    )
    stochastic_depth: float = _number(
        0.0,
        "Stochastic depth",
        0.0,
        0.9,
        "Network",
        "How often the last block of a residual network is left out of a training step; earlier ones less often. In a "
        "FractalNet, how often a path is. 0 is off; 0.5 is usual for ResNet-110, 0.15 for a FractalNet.",
    )
    activation: str = _choice(
        "relu",
        "Activation",
        ("relu", "leaky_relu", "scaled_tanh"),
        "Network",
        "What follows each hidden layer; leaky_relu lets 0.3 of what is negative through, as in the report; "
        "scaled_tanh bends everything to between -1.7 and 1.7, as in LeNet-5's paper. The usual one is relu.",
    )
    batch_normalization: bool = _switch(
        False,
        "Batch normalisation",
        "Network",
        "Normalises what each hidden layer with weights gives, over the batch. Deep networks learn faster with it, so "
        "on is usual.",
    )
    batch_normalization_momentum: float = _number(
        0.99,
        "Batch normalisation momentum",
        0.5,
        0.999,
        "Network",
        "Share of the running means, used in validation and test, that stays at each step. 0.99 is usual, 0.9 for a "
        "run of few steps.",
    )
    dropout: float = _number(
        0.3,
        "Dropout",
        0.0,
        0.9,
        "Network",
        "Share of units switched off at random while training, against overfitting. 0 is off; 0.2 to 0.5 are usual.",
    )
    l2: float = _number(
        0.0,
        "Convolution L2",
        0.0,
        0.1,
        "Network",
        "Penalty on the squared weights of convolutions, which is part of every loss shown. 0 is off; 0.0001 is usual.",
    )
    standardize: bool = _switch(
        False,
        "Standardise",
        "Network",
        "Divides pixels by their standard deviation, after the mean image is subtracted; off leaves them on the scale "
        "of 0 to 255, as in the report. On is usual.",
    )

    translate: float = _number(
        0.1,
        "Translation",
        0.0,
        0.5,
        "Augmentation",
        "The furthest that a training image is moved at random, as a share of its side. 0 is off; 0.1 is usual.",
    )
    flip: bool = _switch(
        True,
        "Horizontal flips",
        "Augmentation",
        "Mirrors half of the training images, at random. Right for most photos, wrong for digits.",
    )
    alternating_flip: bool = _switch(
        False,
        "Alternating flips",
        "Augmentation",
        "With flips: mirrors each image in every other epoch, the first time by chance, so that no two epochs in a row "
        "show it the same way (Jordan 2024). Off is usual; on pays in short runs.",
    )
    crop_padding: int = _number(
        0,
        "Random crops",
        1,
        16,
        "Augmentation",
        "How many pixels of the stored image are added around it, by reflection, before a random part of the old size "
        "is cut out (He et al. 2015; Jordan 2024). In place of a translation; 4 are usual for 32 x 32 pixels, 2 for "
        "digits.",
        "off",
    )
    rotate: float = _number(
        0.0,
        "Rotation",
        1.0,
        90.0,
        "Augmentation",
        "The furthest that a training image is turned at random, either way, in degrees (An et al. 2020). 10 "
        "to 20 are usual for digits.",
        "off",
    )
    scale: float = _number(
        0.0,
        "Scaling",
        0.01,
        0.5,
        "Augmentation",
        "The furthest that a training image is made smaller or larger at random, as a share of its side (LeCun et al. "
        "1998). 0.1 is usual for digits.",
        "off",
    )
    erase: float = _number(
        0.0,
        "Cutout",
        0.05,
        0.75,
        "Augmentation",
        "Side of a square that is erased from each training image at a random position, as a share of the image's: it "
        "shows the mean of all training images (cutout, DeVries and Taylor 2017). 0.25 to 0.5 are usual.",
        "off",
    )

    precision: str = _choice(
        "float32",
        "Precision",
        ("float32", "mixed_bfloat16"),
        "Machine",
        "The numbers that it computes with. The usual ones are float32; mixed_bfloat16 computes in 16 bits and keeps "
        "weights in 32, which is faster on recent GPUs and on processors that compute in it.",
    )
    devices: int = _number(
        1,
        "Devices",
        1,
        64,
        "Machine",
        "Among how many devices of one machine, such as GPUs, each batch is divided; the result is the same but for "
        "rounding. More than one needs JAX. 1 is usual.",
    )
    jit_compile: str = _choice(
        "auto",
        "Compile with XLA",
        ("auto", "on", "off"),
        "Machine",
        "Whether XLA makes one program of the training step, which takes a minute or more. The usual auto does "
        "so on JAX and on GPUs, where the augmentation can be compiled.",
    )
    record_test_predictions: bool = _switch(
        False,
        "Test predictions per epoch",
        "Machine",
        "After each epoch, records what the network makes of every test image, for looking back; nothing is chosen by "
        "it. It takes as long as validating 10,000 images. Off is usual for quick runs.",
    )
    map: str = _choice(
        "auto",
        "Map of the test images",
        ("auto", "on", "off"),
        "Machine",
        "Whether the run ends with a map on which test images that are alike to the network are neighbours. That takes "
        "half a minute and some 300 MB. The usual auto makes one after a training of three minutes or more.",
    )

    def __post_init__(self):
        for name, field in FIELDS.items():
            value = getattr(self, name)
            check_value(name, value)
            object.__setattr__(self, name, field.type(value))

    def split_sizes(self, available):
        """How many of so many training images are trained on, and how many are held back to validate."""
        count = min(self.train_examples or available, available)
        held_back = max(1, round(count * self.validation_split))
        return count - held_back, held_back

    def split(self, data):
        """The training and the validation part of a core.datasets.loading.Dataset, each (images, labels): the
        validation split is taken from the front of the first `train_examples` images, in file order, as in the report.
        """
        trained_on, held_back = self.split_sizes(len(data.train_images))
        images, labels = data.train_images[: held_back + trained_on], data.train_labels[: held_back + trained_on]
        return (images[held_back:], labels[held_back:]), (images[:held_back], labels[:held_back])

    def to_dict(self):
        """The fields as plain JSON values."""
        return {name: getattr(self, name) for name in FIELDS}

    @classmethod
    def from_dict(cls, values):
        """The inverse of `to_dict`, for values out of a file.

        Raises:
            ConfigError: as in `check_values`.
        """
        check_values(values)
        return cls(**{RENAMED.get(name, name): value for name, value in values.items()})


# Every setting, by its name.
FIELDS = {field.name: field for field in dataclasses.fields(RunConfig)}
# The names that settings had in older runs -> those they have now.
RENAMED = {"model": "network", "divide_by_deviation": "standardize", "shift": "translate"}


def check_names(names):
    """Raises ConfigError where one of the names is no setting of a RunConfig."""
    unknown = sorted(set(names) - set(FIELDS))
    if unknown:
        raise ConfigError(f"There is no setting called {shown(unknown[0])}; it may be from a newer version.")


def check_value(name, value):
    """Raises ConfigError, which calls the setting by its label, where it cannot have this value."""
    metadata = FIELDS[name].metadata
    if wanted := metadata["kind"].wanted(value):
        raise ConfigError(f"{metadata['label']} is {wanted}, not {shown(value)}.")


def check_values(values):
    """Checks the settings in a file, name -> value. Raises ConfigError, which calls each as in the file."""
    check_names(values.keys() - RENAMED.keys())
    for name, value in values.items():
        try:
            FIELDS[RENAMED.get(name, name)].metadata["kind"].check(value, name)
        except UnsoundError as error:
            raise ConfigError(f"{error}.") from None


def option(name):
    """A setting's option on the command line."""
    return f"--{name.replace('_', '-')}"


def described(field):
    """What a setting does, and what it may be: whole sentences."""
    kind, help = field.metadata["kind"], field.metadata["help"]
    # That a switch is on or off, whoever sees one knows.
    return help if isinstance(kind, Switch) else f"{help} {_may_be(kind)[0].upper()}{_may_be(kind)[1:]}."


def in_words(settings):
    """Settings, name -> value, as people say them: "batch size 64, horizontal flips off"."""
    return ", ".join(
        f"{FIELDS[name].metadata['label'].lower()} {said(FIELDS[name], value)}" for name, value in settings.items()
    )


def said(field, value):
    """A value of a setting as people say it: "on", "all", "60,000"."""
    kind = field.metadata["kind"]
    if isinstance(kind, Switch):
        return "on" if value else "off"
    if isinstance(value, str):
        return value
    if not value and kind.zero_means:
        return kind.zero_means
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def settings_table():
    """Every setting as a row of a Markdown table: name, option, default, what it may be, what it does."""
    rows = [("Setting", "Option", "Default", "May be", "What it does"), ("---",) * 5]
    for name, field in FIELDS.items():
        default = "on" if field.default is True else "off" if field.default is False else field.default
        default = default if isinstance(default, str) else figure(default)
        rows.append(
            (
                field.metadata["label"],
                f"`{option(name)}`",
                default,
                _may_be(field.metadata["kind"]),
                field.metadata["help"],
            )
        )
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _may_be(kind):
    return kind.range if isinstance(kind, Number) else "on or off" if isinstance(kind, Switch) else kind.words
