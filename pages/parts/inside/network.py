"""A network on the Inside page."""

import hashlib

import numpy as np

from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from core.palette import NETWORK_COLOURS
from pages.parts import data
from pages.parts.inside.choice import opens
from pages.parts.kept import Kept, stamps

# Of one answer, in bytes, and of all: what the networks said about an image is asked again at every click on the page.
_A_LITTLE, _MOST = 5_000, 20_000_000
_answers = Kept(_MOST)


class Network:
    """A run on the page.

    Attributes:
        run, config, classes, colour, name: what it is, and how people see it.
        label: what the network is called.
        number: 0, or 1 for the one beside.
        is_here: whether its network is here, so that it can be looked into.
    """

    def __init__(self, run, number):
        self.run, self.number, self.config = run, number, data.config(run)
        self.classes = DATASETS[self.config.dataset]["classes"]
        self.colour, self.name = NETWORK_COLOURS[self.config.network], data.name(run)
        self.is_here = opens(run)
        self.label = NETWORKS[self.config.network]["label"]

    def opened(self):
        """A core.explain.features.OpenNetwork. Raises RunError where it is damaged."""
        return data.classifier(self.run)

    def classifies(self, image):
        """The probabilities, (classes,), that the network gives an image, uint8 (h, w, c), asked once."""
        return kept_answer(self, ("classifies", image), lambda: self.opened().classify(image[None])[0])

    def says(self, looked):
        """Its probabilities for an image: (classes,) floats; None where it has none for this one."""
        if self.is_here:
            return self.classifies(looked.image)
        if looked.number is None:
            return None
        found = data.predictions(self.run)["probabilities"]
        return found[looked.number] if looked.number < len(found) else None


def kept_answer(network, question, make):
    """What `make` gives, kept for the next one who asks the same of the same network.

    Args:
        network: a Network.
        question: a tuple of texts, numbers, arrays and None.
        make: called without anything.
    """
    key = [str(network.run.path)]
    for part in question:
        key.append(hashlib.sha256(part.tobytes()).digest() if isinstance(part, np.ndarray) else part)
    return _answers.get(tuple(key), stamps(key[0], ("model.tflite",)), _A_LITTLE, lambda last: make())
