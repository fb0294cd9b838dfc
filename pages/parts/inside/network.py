"""A network on the Inside page."""

from core.datasets.catalogue import DATASETS
from core.networks.catalogue import NETWORKS
from pages.parts import data
from pages.parts.inside.choice import opens
from pages.parts.style import NETWORK_COLOURS


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

    def says(self, looked):
        """Its probabilities for an image: (classes,) floats; None where it has none for this one."""
        if self.is_here:
            return self.opened().classify(looked.image[None])[0]
        if looked.number is None:
            return None
        found = data.predictions(self.run)["probabilities"]
        return found[looked.number] if looked.number < len(found) else None
