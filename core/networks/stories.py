"""What each network added and why it mattered, and the road from one to the next: words and figures, with sources."""

from typing import NamedTuple

from core.networks.catalogue import NETWORKS

# Family -> a paragraph.
_FAMILIES = {
    "lenet": (
        "LeNet-5 read handwritten digits on bank cheques. It has all that makes a convolutional network: small filters "
        "that slide over the image and share their weights, pooling that makes their maps smaller, and dense layers at "
        "the end. Nothing of what it sees is designed by hand; it learns its features together with its decision. Its "
        "third layer connects each map with only some of those before, which saved arithmetic and made the maps "
        "differ, and its output measures how close it comes to a small drawing of each digit."
    ),
    "alexnet": (
        "AlexNet won ImageNet's contest of 2012 by ten points and turned a whole field to deep learning. It is LeNet's "
        "idea at a hundred times the size, made trainable by three things: the activation ReLU, which does not "
        "saturate, dropout, which keeps its two huge dense layers from learning the training images by heart, and two "
        "graphics cards. On these, training took five to six days."
    ),
    "nin": (
        "Network in network puts small networks, convolutions of 1×1 pixels, behind each ordinary convolution, so that "
        "every place of the image is judged by more than one linear filter. And it has no dense layers: its last maps "
        "stand for the classes, one each, and their means are the logits. Both ideas are in nearly every network "
        "since: bottlenecks are 1×1 convolutions, and nearly all networks end in a global average."
    ),
    "vgg": (
        "VGG asked one question: what does depth alone do? It stacks nothing but 3×3 convolutions, since two of them "
        "see as far as one of 5×5 with fewer weights and an activation more, and doubles the filters whenever pooling "
        "halves the image. From 11 to 16 layers its errors fell, and with 19 no further. Simple as it is, many people "
        "still take it to look inside a network. Its price: most of its weights are in the first dense layer."
    ),
    "googlenet": (
        "GoogLeNet won the contest of 2014 with a twelfth of AlexNet's weights. Its inception blocks look at the image "
        "with filters of 1×1, 3×3 and 5×5 pixels side by side and let the next layer choose; 1×1 convolutions narrow "
        "the maps before, which keeps that affordable. A global average stands in place of dense layers, and while it "
        "trains, two more classifiers inside it send gradients to its early layers."
    ),
    "all_convolutional": (
        "The all convolutional network asks what can be left out. It replaces pooling by convolutions with a stride "
        "of 2 and dense layers by a global average, and is as good as networks that have both. Pooling is no necessary "
        "part of a convolutional network. With nothing but convolutions in it, it is also easy to look through: guided "
        "backpropagation was invented with it."
    ),
    "resnet": (
        "Beyond twenty layers, deeper networks had become worse, and not by overfitting: their training errors rose "
        "too. A residual block adds what it computes to what came in, so that a block that has nothing to add needs "
        "only to learn zero, and gradients reach the first layer through the sums. With that, 152 layers could be "
        "trained, and won the contest of 2015; nearly every network since has such shortcuts."
    ),
    "small_resnet": (
        "The same paper's networks for CIFAR-10 are narrow, keep the small images' size in their first layers, and "
        "have shortcuts without a single weight: where the maps get more, zeros are added. They show the paper's point "
        "in its purest form: without shortcuts 56 layers do worse than 20, with them they do better."
    ),
    "preactivation": (
        "Normalisation and activation move in front of each convolution, so that nothing at all stands on the way of "
        "the shortcuts, from the last layer to the first. What a block adds then reaches every later block unchanged, "
        "and a thousand layers can be trained. They are only a little better than a hundred, "
        "which says as much about depth as that they can be trained at all."
    ),
    "wide_resnet": (
        "Is it the depth? Wide residual networks are short and have many times the filters. Sixteen layers, wide "
        "enough, do as well as a thousand thin ones, and train several times as fast, since a processor computes wide "
        "layers in parallel and deep ones one after another. Dropout between the two convolutions of a block keeps "
        "the many weights in check."
    ),
    "fractalnet": (
        "FractalNet is very deep without a single shortcut: by one rule, applied again and again, it is made of paths "
        "of different lengths that join in means. So it is not the residual sum that matters, but that short paths "
        "exist beside long ones. In training, paths are dropped at random, and each of its columns becomes a network "
        "that can stand for itself."
    ),
    "densenet": (
        "Each layer of a DenseNet sees the maps of all layers before it in its block, joined and not added, and adds "
        "only a few maps of its own, twelve here. Nothing has to be learned twice, so it needs few weights; early "
        "features reach the end unchanged, and gradients the beginning. Its price is memory, since all these joined "
        "maps are kept for the way back. BC stands for bottlenecks and compression between the blocks."
    ),
    "resnext": (
        "ResNeXt divides a bottleneck's wide convolution into groups that do not see one another, here eight of 64 "
        "filters. How many groups there are, its cardinality, is a third size of a network beside depth and width, "
        "and at the same cost a better one to increase. Grouped convolutions have been in most efficient networks "
        "since."
    ),
    "capsules": (
        "Capsules are vectors in place of single numbers: how long one is says whether something is there, and its "
        "direction what it is like. Earlier capsule networks found out by a slow routine which capsules "
        "belong together. This network needs "
        "none: each map is a capsule, multiplied by weights element by element. It branches off after three, six and "
        "nine convolutions without padding, and ensembles of it held the record on MNIST."
    ),
}
# Networks that stand for more than their family's paragraph says: a sentence for each.
_NETWORKS = {
    "vgg11": "This is the shallowest of the four, the paper's A.",
    "vgg13": "This is the paper's B, with two convolutions a stage.",
    "vgg16": "This is the paper's D, which most people mean by VGG.",
    "vgg19": "This is the deepest of the four, the paper's E.",
    "resnet34": "Built as the report's own program built it, with biases in its convolutions.",
    "resnet50": "From 50 layers on, blocks are bottlenecks: narrowed to a quarter, filtered, and widened again.",
    "resnet152": "This is the one that won the contest.",
    "resnet110_stochastic": (
        "While it trains, blocks are left out at random, the later the more often, so that a short network learns and "
        "a deep one answers; that takes less time, and the errors fall."
    ),
    "preact_resnet1001": "Here it is 1,001 layers deep.",
}


class Milestone(NamedTuple):
    """One year's best in ImageNet's contest, by its share of images whose class was not among the first five guesses.

    Attributes:
        year, label: when, and what it was called.
        error: in percent.
        network: its name in the catalogue, or None.
    """

    year: int
    label: str
    error: float
    network: str | None = None


# The report's figure 1.1.
ROAD = (
    Milestone(2010, "hand-made features", 28.2),
    Milestone(2011, "hand-made features", 25.8),
    Milestone(2012, "AlexNet", 16.4, "alexnet"),
    Milestone(2013, "ZFNet", 11.7),
    Milestone(2014, "VGG", 7.3, "vgg19"),
    Milestone(2014, "GoogLeNet", 6.7, "googlenet"),
    Milestone(2015, "ResNet", 3.57, "resnet152"),
)
# One person who had practised, on 1,500 of the images; Russakovsky et al., ImageNet large scale visual recognition
# challenge (2015), section 6.4.
A_PERSON = 5.1


def story(name):
    """What the named network added, and why it mattered: a paragraph."""
    return " ".join(filter(None, (_FAMILIES[NETWORKS[name]["family"]], _NETWORKS.get(name))))
