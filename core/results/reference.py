"""What the report that this lab reproduces says: its Tables 4.1 and 4.2, and what each run took; see docs/report.md."""

TITLE, AUTHOR = "Deeper Networks for Image Classification", "Shelly Srivastava"
# Its Table 4.1: dataset -> training images, test images, their shape, classes.
DATASETS_OF_REPORT = {
    "mnist": (60_000, 10_000, (28, 28), 10),
    "fashion_mnist": (60_000, 10_000, (28, 28), 10),
    "cifar10": (50_000, 10_000, (32, 32, 3), 10),
}
# Its test accuracies were measured on the whole test set of each dataset, which is as large for all three.
TEST_IMAGES = 10_000
# Accuracies and losses as in Table 4.2. Its train and validation columns are those of the last epoch, its test columns
# those of the restored best epoch. Epochs and seconds an epoch are from the logs in the report's appendix, None
# where it shows none; they were measured on a GPU of Colab in 2020.
_COLUMNS = (
    "train_accuracy",
    "train_loss",
    "validation_accuracy",
    "validation_loss",
    "test_accuracy",
    "test_loss",
    "epochs",
    "seconds_per_epoch",
)
_ROWS = {
    ("alexnet", "mnist"): (0.9953, 0.0149, 0.9898, 0.0359, 0.9922, 0.0244, 28, 27),
    ("alexnet", "fashion_mnist"): (0.9239, 0.1986, 0.9103, 0.2550, 0.9086, 0.2755, None, None),
    ("alexnet", "cifar10"): (0.7862, 0.6036, 0.7328, 0.7797, 0.7386, 0.7612, 57, 52),
    ("vgg16", "mnist"): (0.9992, 0.0348, 0.9945, 0.0552, 0.9956, 0.0516, 86, 87),
    ("vgg16", "fashion_mnist"): (0.9664, 0.1723, 0.9393, 0.2795, 0.9346, 0.2913, 86, 132),
    ("vgg16", "cifar10"): (0.9841, 0.2835, 0.8960, 0.6947, 0.8902, 0.7009, 89, 113),
    ("resnet34", "mnist"): (0.9974, 0.0378, 0.9950, 0.0468, 0.9958, 0.0453, 88, 40),
    ("resnet34", "fashion_mnist"): (0.9416, 0.2324, 0.9293, 0.2862, 0.9223, 0.2942, 88, 186),
    ("resnet34", "cifar10"): (0.9293, 0.3710, 0.8852, 0.5229, 0.8928, 0.5269, 64, 96),
}
REPORT = {pair: dict(zip(_COLUMNS, row, strict=True)) for pair, row in _ROWS.items()}
# The networks that the report trained, in its order: the rows of a page that sets all its pairs side by side.
NETWORKS_OF_REPORT = tuple(dict.fromkeys(network for network, _ in REPORT))
