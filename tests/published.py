"""What is known of the networks' sizes from their papers and from others' programs."""

# Where the published figures were counted: (image size, channels, classes), batch normalisation, stem.
IMAGENET, CIFAR, MNIST = (224, 3, 1000), (32, 3, 10), (28, 1, 10)
PLAIN, NORMALISED, SMALL_STEM = (False, "paper"), (True, "paper"), (True, "3x3")
# What is known of each network from its paper or from others' programs: its trainable parameters, one line a figure.
PUBLISHED = [
    ("lenet5", (32, 1, 10), PLAIN, 60_000, "LeCun et al. 1998, section II.B"),
    ("nin", CIFAR, PLAIN, 966_986, "imgclsmob, nin_cifar.py"),
    ("all_cnn_c", CIFAR, PLAIN, 1_369_738, "from the layers of the paper's table 1"),
    ("vgg11", IMAGENET, PLAIN, 132_863_336, "torchvision"),
    ("vgg13", IMAGENET, PLAIN, 133_047_848, "torchvision"),
    ("vgg16", IMAGENET, PLAIN, 138_357_544, "torchvision"),
    ("vgg19", IMAGENET, PLAIN, 143_667_240, "torchvision"),
    ("googlenet", IMAGENET, PLAIN, 6_998_552, "from the layers of the paper's table 1"),
    ("googlenet", (224, 3, 10), PLAIN, 5_983_802, "from the layers of the paper's table 1"),
    ("resnet18", IMAGENET, NORMALISED, 11_689_512, "torchvision"),
    ("resnet50", IMAGENET, NORMALISED, 25_557_032, "torchvision"),
    ("resnet101", IMAGENET, NORMALISED, 44_549_160, "torchvision"),
    ("resnet152", IMAGENET, NORMALISED, 60_192_808, "torchvision"),
    ("resnet18", CIFAR, SMALL_STEM, 11_173_962, "kuangliu/pytorch-cifar"),
    ("resnet50", CIFAR, SMALL_STEM, 23_520_842, "kuangliu/pytorch-cifar"),
    ("resnet101", CIFAR, SMALL_STEM, 42_512_970, "kuangliu/pytorch-cifar"),
    ("resnet152", CIFAR, SMALL_STEM, 58_156_618, "kuangliu/pytorch-cifar"),
    # The published figures, and a bias for each of its filters, which the report's program left in place.
    ("resnet34", IMAGENET, NORMALISED, 21_797_672 + 8_512, "torchvision, and a bias a filter"),
    ("resnet34", CIFAR, SMALL_STEM, 21_282_122 + 8_512, "torchvision, and a bias a filter"),
    ("resnet20", CIFAR, NORMALISED, 269_722, "from the paper's section 4.2"),
    ("resnet56", CIFAR, NORMALISED, 853_018, "from the paper's section 4.2"),
    ("resnet110", CIFAR, NORMALISED, 1_727_962, "from the paper's section 4.2"),
    ("resnet110_stochastic", CIFAR, NORMALISED, 1_727_962, "as ResNet-110"),
    ("preact_resnet164", CIFAR, NORMALISED, 1_703_258, "KaimingHe/resnet-1k-layers"),
    ("preact_resnet1001", CIFAR, NORMALISED, 10_327_706, "KaimingHe/resnet-1k-layers"),
    ("wrn16_4", CIFAR, NORMALISED, 2_748_890, "szagoruyko/wide-residual-networks"),
    ("wrn28_10", CIFAR, NORMALISED, 36_479_194, "szagoruyko/wide-residual-networks"),
    # An independent program's; the paper on DenseNet says 38.6 million of a FractalNet of 21 layers.
    ("fractalnet20", CIFAR, NORMALISED, 33_724_618, "imgclsmob, fractalnet_cifar.py"),
    ("densenet40", CIFAR, NORMALISED, 1_019_722, "liuzhuang13/DenseNet"),
    ("densenet_bc100", CIFAR, NORMALISED, 769_162, "liuzhuang13/DenseNet"),
    ("resnext29_8x64d", CIFAR, NORMALISED, 34_426_698, "prlz77/ResNeXt.pytorch"),
    ("hvc", MNIST, NORMALISED, 1_514_187, "AdamByerly/BMCNNwHFCs"),
]
