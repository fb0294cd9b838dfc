"""The catalogue of networks: what each is called, where it is from and what it is like. Without Keras, so that the web
server may read it.

A network is an entry here and its architecture, as data, in its family's module, `core.networks.FAMILY`. Recipes and
estimates go by family and traits and never by a network's name, so that one added tomorrow gets sensible settings.
"""

import importlib

# What an entry may say of its network; what it does not name, the network has not.
TRAITS = {
    "hidden_dense": "hidden dense layers, where most of the weights are, and all of the dropout",
    "batch_normalized": "batch normalisation after its convolutions, as its paper has it",
    "residual": "shortcuts around its layers, through which it learns from the first epoch on however deep it is",
    "deep": "more than ten layers with weights one after another",
    "small_images": "made for images of about 32 pixels a side, whose first layers keep all of them",
    "costly": "so much arithmetic that an epoch takes several times as long as with the other networks",
}

# What people call each family.
FAMILIES = {
    "lenet": "LeNet",
    "alexnet": "AlexNet",
    "vgg": "VGG",
    "resnet": "Residual networks",
}

NETWORKS = {
    "alexnet": {
        "label": "AlexNet",
        "year": 2012,
        "paper": "Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks",
        "family": "alexnet",
        "layers": 8,
        "traits": {"hidden_dense"},
    },
    "vgg16": {
        "label": "VGG-16",
        "year": 2014,
        "paper": "Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition",
        "family": "vgg",
        "layers": 16,
        "traits": {"hidden_dense", "deep", "costly"},
    },
    "resnet34": {
        "label": "ResNet-34",
        "year": 2015,
        "paper": "He, Zhang, Ren and Sun, Deep residual learning for image recognition",
        "family": "resnet",
        "layers": 34,
        "traits": {"batch_normalized", "residual", "deep"},
    },
    "lenet5": {
        "label": "LeNet-5",
        "year": 1998,
        "paper": "LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition",
        "family": "lenet",
        "layers": 7,
        "traits": {"hidden_dense", "small_images"},
    },
}


def characteristics(name):
    """What rules about networks match: {"family": its family, trait: whether it has it, for each of TRAITS}."""
    entry = NETWORKS[name]
    return {"family": entry["family"]} | {trait: trait in entry["traits"] for trait in TRAITS}


def assemble(name, blocks, x):
    """Puts the named network together on preprocessed images x, of `blocks`: `core.networks.blocks.Blocks` makes Keras
    layers, `core.networks.sizes.Counter` only counts. Returns its logits.
    """
    family = importlib.import_module(f"core.networks.{NETWORKS[name]['family']}")
    return family.network(blocks, x, family.ARCHITECTURES[name])
