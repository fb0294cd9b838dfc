"""How the networks' own papers trained them, as rules of the `paper` recipe: data, with where each was read.

Images keep the size that this lab gives them: 32 pixels a side for networks made for small images, 64 for the others,
which their papers trained on ImageNet. Crops are those of images with a border of 4 pixels; theirs is black and ours is
a mirror. What a paper does to images besides is said with its source.
"""

# As Torch and Caffe descend: momentum without Nesterov's look ahead, decay as part of the gradient.
SGD = {
    "optimizer": "sgd",
    "momentum": 0.9,
    "nesterov": False,
    "decay": "coupled",
    "schedule": "steps",
    "drops_at": "50 75",
    "drop_factor": 0.1,
    "early_stopping_patience": 0,
    "monitor": "validation_accuracy",
    "batch_normalization_momentum": 0.9,
    "standardize": True,
    "translate": 0.0,
    "crop_padding": 4,
    "dropout": 0.0,
}
# "Divided by 10 when the error stopped improving."
PLATEAUS = {"schedule": "plateau", "plateau_factor": 0.1, "plateau_patience": 5, "min_learning_rate": 0.0}

# Each rule is (where, values, source), as in `core.config.recipes`: later rules win.
RULES = (
    ({}, SGD | {"epochs": 164, "batch_size": 128, "learning_rate": 0.1, "weight_decay": 1e-4}, "as most of them do"),
    ({"batch_normalized": True}, {"batch_normalization": True}, "each paper's section on its architecture"),
    ({"small_images": True}, {"image_size": 32}, "each paper's section on its data"),
    (
        {"family": "lenet"},
        {
            "epochs": 20,
            "batch_size": 1,
            "learning_rate": 1e-3,
            "momentum": 0.0,
            "weight_decay": 0.0,
            "drops_at": "10 25 40 60",
            "drop_factor": 0.376,
            "activation": "scaled_tanh",
            "crop_padding": 0,
            "flip": False,
        },
        "LeCun et al. 1998, section III.B: 20 passes, one image a step, rates from 5e-4 down to 1e-5 in five steps. "
        "Its rate for each weight, from second derivatives, is left out",
    ),
    (
        {"family": "alexnet"},
        PLATEAUS | {"epochs": 90, "learning_rate": 0.01, "weight_decay": 5e-4, "dropout": 0.5},
        "Krizhevsky et al. 2012, sections 4 and 5. Its changes of colour are left out",
    ),
    (
        {"family": "nin"},
        PLATEAUS | {"epochs": 230, "learning_rate": 0.01, "weight_decay": 1e-4, "dropout": 0.5},
        "Lin et al. 2013, section 4, and its authors' settings for CIFAR-10; the first rate is left open there. "
        "Contrast normalisation and whitening are left out",
    ),
    (
        {"family": "vgg"},
        PLATEAUS | {"epochs": 74, "batch_size": 256, "learning_rate": 0.01, "weight_decay": 5e-4, "dropout": 0.5},
        "Simonyan and Zisserman 2014, section 3.1",
    ),
    (
        {"family": "googlenet"},
        {
            "epochs": 60,
            "batch_size": 32,
            "learning_rate": 0.01,
            "weight_decay": 2e-4,
            "schedule": "exponential",
            # 4 % every 8 epochs.
            "drop_factor": 0.9949,
            "weight_averaging": 0.999,
            "dropout": 0.4,
        },
        "Szegedy et al. 2014, section 6; rate, batch and decay, which it does not tell, are those of Caffe's copy",
    ),
    (
        {"family": "all_convolutional"},
        {
            "epochs": 350,
            "learning_rate": 0.05,
            "weight_decay": 1e-3,
            "drops_at": "57 71 86",
            "dropout": 0.5,
        },
        "Springenberg et al. 2014, section 3.1: 350 epochs, drops at 200, 250 and 300, the best of four rates",
    ),
    (
        {"family": "resnet"},
        PLATEAUS | {"epochs": 120, "batch_size": 256},
        "He et al. 2015, section 3.4",
    ),
    (
        {"family": "small_resnet"},
        {"epochs": 182},
        "He et al. 2015, section 4.2: 64,000 steps, drops at 32,000 and 48,000. The deepest's first 400 steps, at a "
        "tenth of the rate, are left out",
    ),
    (
        {"family": "small_resnet", "stochastic": True},
        {"epochs": 500, "nesterov": True, "stochastic_depth": 0.5},
        "Huang, Sun et al. 2016, section 4: 500 epochs, drops at 250 and 375, survival falling linearly to 0.5",
    ),
    (
        {"family": "preactivation"},
        {"epochs": 164, "nesterov": True},
        "He et al. 2016, appendix, and its authors' program: 64,000 steps, drops at 32,000 and 48,000",
    ),
    (
        {"huge": True},
        {"batch_size": 64},
        "He et al. 2016, table 4, and Huang, Liu et al. 2016, section 4.2",
    ),
    (
        {"family": "wide_resnet"},
        {
            "epochs": 200,
            "nesterov": True,
            "weight_decay": 5e-4,
            "drops_at": "30 60 80",
            "drop_factor": 0.2,
            "dropout": 0.3,
        },
        "Zagoruyko and Komodakis 2016, sections 3 and 3.3: 200 epochs, drops at 60, 120 and 160",
    ),
    (
        {"family": "resnext"},
        {"epochs": 300, "nesterov": True, "weight_decay": 5e-4},
        "Xie et al. 2016, section 5.3: 300 epochs, drops at 150 and 225",
    ),
    (
        {"family": "densenet"},
        {"epochs": 300, "batch_size": 64, "nesterov": True},
        "Huang, Liu et al. 2016, section 4.2: 300 epochs, drops at 150 and 225, no dropout where images are augmented",
    ),
    (
        {"family": "fractalnet"},
        {
            "epochs": 400,
            "batch_size": 100,
            "learning_rate": 0.02,
            "weight_decay": 0.0,
            "drops_at": "50 75 87.5 93.75",
            "dropout": 0.4,
            "stochastic_depth": 0.15,
        },
        "Larsson et al. 2016, section 5: 400 epochs, drops whenever those left are half as many",
    ),
    (
        {"family": "capsules"},
        {
            "epochs": 300,
            "batch_size": 120,
            "optimizer": "adam",
            "learning_rate": 1e-3,
            "weight_decay": 0.0,
            "schedule": "exponential",
            "drop_factor": 0.98,
            "weight_averaging": 0.999,
            "image_size": 28,
            "translate": 0.125,
            "crop_padding": 0,
        },
        "Byerly et al. 2020, section 4. Its rotations, widths and erased pixels are left out",
    ),
    ({"dataset": "mnist"}, {"flip": False}, "a digit in a mirror is none"),
)
