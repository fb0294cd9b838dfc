"""The networks by name. Pure data, without Keras, so that the web server may read it."""

MODELS = {
    "alexnet": {
        "label": "AlexNet",
        "year": 2012,
        "paper": "Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks",
        "layers": 8,
        "parameters": 24_744_650,
        "multiply_adds": 112_852_992,
        "module": "core.models.alexnet",
    },
    "vgg16": {
        "label": "VGG-16",
        "year": 2014,
        "paper": "Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition",
        "layers": 16,
        "parameters": 39_928_522,
        "multiply_adds": 1_273_274_368,
        "module": "core.models.vgg",
    },
    "resnet34": {
        "label": "ResNet-34",
        "year": 2015,
        "paper": "He, Zhang, Ren and Sun, Deep residual learning for image recognition",
        "layers": 34,
        "parameters": 21_309_066,
        "multiply_adds": 292_623_360,
        "module": "core.models.resnet",
    },
}
