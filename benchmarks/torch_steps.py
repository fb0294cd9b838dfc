"""The same networks and training step as a PyTorch user writes them: the PyTorch side of training_throughput.py.

Stands alone, because PyTorch may live in another environment than the project. Weight decay per parameter group is
PyTorch's way to write the L2 term, and fused its faster Adam.
"""

import json
import os
import sys

import torch
from stepping import take_turns
from torch import nn
from torch.nn import functional


def _classifier(features, config, classes):
    layers = [nn.Flatten()]
    for inputs in (features, 4096):
        layers += [nn.Linear(inputs, 4096), nn.ReLU(inplace=True), nn.Dropout(config["dropout"])]
    return [*layers, nn.Linear(4096, classes)]


def alexnet(config, channels, classes):
    """core/networks/alexnet.py; PyTorch has no strided "same" convolution, so that conv1 is padded by hand."""
    layers = [nn.ZeroPad2d((3, 4, 3, 4)), nn.Conv2d(channels, 96, 11, 4), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(96, 256, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
    for inputs, filters in ((256, 384), (384, 384), (384, 256)):
        layers += [nn.Conv2d(inputs, filters, 3, padding=1), nn.ReLU(inplace=True)]
    return nn.Sequential(
        *layers, nn.MaxPool2d(2), *_classifier(256 * (config["image_size"] // 32) ** 2, config, classes)
    )


def vgg16(config, channels, classes):
    """core/networks/vgg.py."""
    layers = []
    for count, filters in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
        for _ in range(count):
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(inplace=True)]
            channels = filters
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, *_classifier(512 * (config["image_size"] // 32) ** 2, config, classes))


def _normalised(inputs, filters, kernel_size, stride, config):
    convolution = nn.Conv2d(inputs, filters, kernel_size, stride, padding=kernel_size // 2)
    return [convolution, nn.Dropout(config["dropout"]), nn.BatchNorm2d(filters)]


class BasicBlock(nn.Module):
    """core/networks/resnet.py's block."""

    def __init__(self, inputs, filters, stride, config):
        super().__init__()
        self.path = nn.Sequential(
            *_normalised(inputs, filters, 3, stride, config),
            nn.LeakyReLU(0.3, inplace=True),
            *_normalised(filters, filters, 3, 1, config),
        )
        self.shortcut = nn.Sequential(*(_normalised(inputs, filters, 1, stride, config) if stride > 1 else ()))
        self.activation = nn.LeakyReLU(0.3, inplace=True)

    def forward(self, x):
        return self.activation(self.path(x) + self.shortcut(x))


def resnet34(config, channels, classes):
    """core/networks/resnet.py."""
    layers = [*_normalised(channels, 64, 7, 2, config), nn.LeakyReLU(0.3, inplace=True), nn.MaxPool2d(3, 2, padding=1)]
    inputs = 64
    for blocks, filters in ((3, 64), (4, 128), (6, 256), (3, 512)):
        for _ in range(blocks):
            layers.append(BasicBlock(inputs, filters, 1 if inputs == filters else 2, config))
            inputs = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))


NETWORKS = {"alexnet": alexnet, "vgg16": vgg16, "resnet34": resnet34}
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def preprocess(images, mean, config, memory_format):
    """Bicubic resizing, centring, random shifts filled with the nearest pixel, and random flips."""
    size, count = config["image_size"], len(images)
    pixels = functional.interpolate(images.float(), size=(size, size), mode="bicubic") - mean
    transform = torch.zeros(count, 2, 3)
    transform[:, 0, 0] = torch.randint(0, 2, (count,)) * 2.0 - 1.0
    transform[:, 1, 1] = 1.0
    # The image is 2 wide in these coordinates.
    transform[:, :, 2] = (torch.rand(count, 2) * 2 - 1) * 2 * config["translate"]
    grid = functional.affine_grid(transform, pixels.shape, align_corners=False)
    pixels = functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    return pixels.contiguous(memory_format=memory_format)


def main(config, image_shape, classes, memory_format):
    """Trains on random images."""
    torch.set_num_threads(os.cpu_count())
    memory_format = FORMATS[memory_format]
    height, width, channels = image_shape
    network = NETWORKS[config["model"]](config, channels, classes).to(memory_format=memory_format)
    kernels = [parameter for parameter in network.parameters() if parameter.ndim == 4]
    others = [parameter for parameter in network.parameters() if parameter.ndim != 4]
    optimizer = torch.optim.Adam(
        [{"params": kernels, "weight_decay": 2 * config["l2"]}, {"params": others}],
        lr=config["learning_rate"],
        fused=True,
    )
    images = torch.randint(0, 256, (config["batch_size"], channels, height, width), dtype=torch.uint8)
    labels = torch.randint(0, classes, (config["batch_size"],))
    mean = torch.full((1, channels, config["image_size"], config["image_size"]), 33.0)

    def step():
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(preprocess(images, mean, config, memory_format)), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    take_turns(step, sum(parameter.numel() for parameter in network.parameters()))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
