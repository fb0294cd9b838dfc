"""The catalogue of networks: what each is called, where it is from and what it is like. Without Keras, so that the web
server may read it.

A network is an entry here and its architecture, as data, in its family's module, `core.networks.FAMILY`. Recipes and
estimates go by family and traits and never by a network's name, so that one added tomorrow gets sensible settings.
"""

import importlib

# What may be said of a network; what is not said of it, it has not.
TRAITS = {
    "hidden_dense": "hidden dense layers, where most of the weights are, and all of the dropout",
    "batch_normalized": "batch normalisation after its convolutions, as its paper has it",
    "residual": "shortcuts around its layers, through which it learns from the first epoch on however deep it is",
    "deep": "more than ten layers with weights one after another",
    "small_images": "made for images of about 32 pixels a side, whose first layers keep all of them",
    "costly": "much arithmetic, so that an epoch takes several times as long as with the other networks",
    "huge": "a full memory while it trains, since what its many layers give is kept for the way back",
    "stochastic": "learns with parts of it left out at random, as its paper has it",
}

_MODERN = {"batch_normalized", "residual", "deep", "small_images"}
# What people call each family, where it is from, and what all of its networks are like.
FAMILIES = {
    "lenet": {
        "label": "LeNet",
        "year": 1998,
        "paper": "LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition",
        "link": "https://doi.org/10.1109/5.726791",
        "traits": {"hidden_dense", "small_images"},
    },
    "alexnet": {
        "label": "AlexNet",
        "year": 2012,
        "paper": "Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks",
        "link": "https://doi.org/10.1145/3065386",
        "traits": {"hidden_dense"},
    },
    "nin": {
        "label": "Network in network",
        "year": 2013,
        "paper": "Lin, Chen and Yan, Network in network",
        "link": "https://arxiv.org/abs/1312.4400",
        "traits": {"small_images", "costly"},
    },
    "vgg": {
        "label": "VGG",
        "year": 2014,
        "paper": "Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition",
        "link": "https://arxiv.org/abs/1409.1556",
        "traits": {"hidden_dense", "deep", "costly"},
    },
    "googlenet": {
        "label": "GoogLeNet",
        "year": 2014,
        "paper": "Szegedy et al., Going deeper with convolutions",
        "link": "https://arxiv.org/abs/1409.4842",
        "traits": {"deep"},
    },
    "all_convolutional": {
        "label": "All convolutional",
        "year": 2014,
        "paper": "Springenberg, Dosovitskiy, Brox and Riedmiller, Striving for simplicity: the all convolutional net",
        "link": "https://arxiv.org/abs/1412.6806",
        "traits": {"small_images", "costly"},
    },
    "resnet": {
        "label": "Residual networks",
        "year": 2015,
        "paper": "He, Zhang, Ren and Sun, Deep residual learning for image recognition",
        "link": "https://arxiv.org/abs/1512.03385",
        "traits": {"batch_normalized", "residual", "deep"},
    },
    "small_resnet": {
        "label": "Residual networks for small images",
        "year": 2015,
        "paper": "He, Zhang, Ren and Sun, Deep residual learning for image recognition",
        "link": "https://arxiv.org/abs/1512.03385",
        "traits": _MODERN,
    },
    "preactivation": {
        "label": "Pre-activation",
        "year": 2016,
        "paper": "He, Zhang, Ren and Sun, Identity mappings in deep residual networks",
        "link": "https://arxiv.org/abs/1603.05027",
        "traits": _MODERN | {"costly"},
    },
    "wide_resnet": {
        "label": "Wide residual networks",
        "year": 2016,
        "paper": "Zagoruyko and Komodakis, Wide residual networks",
        "link": "https://arxiv.org/abs/1605.07146",
        "traits": _MODERN | {"costly"},
    },
    "fractalnet": {
        "label": "FractalNet",
        "year": 2016,
        "paper": "Larsson, Maire and Shakhnarovich, FractalNet: ultra-deep neural networks without residuals",
        "link": "https://arxiv.org/abs/1605.07648",
        "traits": _MODERN | {"costly", "stochastic"},
    },
    "densenet": {
        "label": "Densely connected",
        "year": 2016,
        "paper": "Huang, Liu, van der Maaten and Weinberger, Densely connected convolutional networks",
        "link": "https://arxiv.org/abs/1608.06993",
        "traits": _MODERN | {"costly"},
    },
    "resnext": {
        "label": "ResNeXt",
        "year": 2016,
        "paper": "Xie, Girshick, Dollár, Tu and He, Aggregated residual transformations for deep neural networks",
        "link": "https://arxiv.org/abs/1611.05431",
        "traits": _MODERN | {"costly"},
    },
    "capsules": {
        "label": "Capsules",
        "year": 2020,
        "paper": "Byerly, Kalganova and Dear, No routing needed between capsules",
        "link": "https://arxiv.org/abs/2001.09136",
        "traits": {"batch_normalized", "small_images", "costly"},
    },
}


def _entry(label, family, layers, *traits, **own):
    """A network's entry: what is said here, and of its family."""
    facts = FAMILIES[family] | {"label": label, "family": family, "layers": layers} | own
    return facts | {"traits": FAMILIES[family]["traits"] | set(traits)}


NETWORKS = {
    "alexnet": _entry("AlexNet", "alexnet", 8),
    "vgg16": _entry("VGG-16", "vgg", 16),
    "resnet34": _entry("ResNet-34", "resnet", 34),
    "lenet5": _entry("LeNet-5", "lenet", 7),
    "nin": _entry("NiN", "nin", 9),
    "vgg11": _entry("VGG-11", "vgg", 11),
    "vgg19": _entry("VGG-19", "vgg", 19),
    "googlenet": _entry("GoogLeNet", "googlenet", 22),
    "all_cnn_c": _entry("All-CNN-C", "all_convolutional", 9),
    "resnet18": _entry("ResNet-18", "resnet", 18),
    "resnet50": _entry("ResNet-50", "resnet", 50),
    "resnet101": _entry("ResNet-101", "resnet", 101, "costly"),
    "resnet152": _entry("ResNet-152", "resnet", 152, "costly"),
    "resnet20": _entry("ResNet-20", "small_resnet", 20),
    "resnet56": _entry("ResNet-56", "small_resnet", 56),
    "resnet110": _entry("ResNet-110", "small_resnet", 110, "costly"),
    "resnet110_stochastic": _entry(
        "ResNet-110, stochastic depth",
        "small_resnet",
        110,
        "costly",
        "stochastic",
        year=2016,
        paper="Huang, Sun, Liu, Sedra and Weinberger, Deep networks with stochastic depth",
        link="https://arxiv.org/abs/1603.09382",
    ),
    "preact_resnet164": _entry("ResNet-164, pre-activation", "preactivation", 164),
    "preact_resnet1001": _entry("ResNet-1001, pre-activation", "preactivation", 1001, "huge"),
    "wrn16_4": _entry("WRN-16-4", "wide_resnet", 16),
    "wrn28_10": _entry("WRN-28-10", "wide_resnet", 28),
    "fractalnet20": _entry("FractalNet-20", "fractalnet", 20),
    "densenet40": _entry("DenseNet-40", "densenet", 40),
    "densenet_bc100": _entry("DenseNet-BC-100", "densenet", 100, "huge"),
    "resnext29_8x64d": _entry("ResNeXt-29, 8×64d", "resnext", 29),
    "hvc": _entry("Branching capsules", "capsules", 10),
    "vgg13": _entry("VGG-13", "vgg", 13),
}


def characteristics(name):
    """What rules about networks match: {"family": its family, trait: whether it has it, for each of TRAITS}."""
    entry = NETWORKS[name]
    return {"family": entry["family"]} | {trait: trait in entry["traits"] for trait in TRAITS}


def deepest(words):
    """How many layers the deepest network has that one of these words names, or whose run; 0 where none does."""
    names = [word.partition("-")[0] for word in words]
    return max((NETWORKS[name]["layers"] for name in names if name in NETWORKS), default=0)


def assemble(name, blocks, x):
    """Puts the named network together on preprocessed images x, of `blocks`: `core.networks.blocks.Blocks` makes Keras
    layers, `core.networks.sizes.Counter` only counts. Returns its logits.
    """
    family = importlib.import_module(f"core.networks.{NETWORKS[name]['family']}")
    return family.network(blocks, x, family.ARCHITECTURES[name])
