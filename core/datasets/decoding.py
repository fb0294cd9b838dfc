"""The original dataset files in a folder -> arrays, accepted only if they are the known ones."""

import gzip
import hashlib
import json
import tarfile
import zlib

import numpy as np

from core.datasets import parts

PARTS = ("train_images", "train_labels", "test_images", "test_labels")


class DamagedError(ValueError):
    """The files are missing, broken or not the original ones."""


def shapes(dataset):
    """The shape of each of the four arrays."""
    counts = {"train": dataset["train_examples"], "test": dataset["test_examples"]}
    return {
        part: (counts[part.split("_")[0]], *(dataset["image_shape"] if part.endswith("images") else ()))
        for part in PARTS
    }


def digest(array):
    """The sha256 of an array's bytes in C order, in hexadecimal."""
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()


def decode(form, folder, dataset):
    """The four arrays, uint8, in the order of PARTS, from files in the form `form` (a key of DECODERS).

    Raises:
        DamagedError: the folder does not hold what the dataset's checksums say.
        core.datasets.parts.PartsError: it holds the dataset in parts, and some of them are missing or damaged.
    """
    try:
        arrays = DECODERS[form](folder, dataset)
        arrays = [array.reshape(shape) for array, shape in zip(arrays, shapes(dataset).values(), strict=True)]
    # Pillow reports a broken PNG as a SyntaxError.
    except (OSError, EOFError, ValueError, KeyError, SyntaxError, zlib.error, tarfile.TarError) as error:
        raise DamagedError(str(error)) from error
    for part, array in zip(PARTS, arrays, strict=True):
        if digest(array) != dataset["sha256"][part]:
            raise DamagedError(f"{part} has another checksum")
    return arrays


def _idx(folder, dataset):
    """Four idx files, gzipped or not: a 16-byte header before images, 8 bytes before labels."""
    arrays = []
    for part, (name, md5) in zip(PARTS, dataset["md5"].items(), strict=True):
        packed = folder / f"{name}.gz"
        raw = gzip.decompress(packed.read_bytes()) if packed.exists() else (folder / name).read_bytes()
        if hashlib.md5(raw, usedforsecurity=False).hexdigest() != md5:
            raise DamagedError(f"{name} has another checksum")
        arrays.append(np.frombuffer(raw, np.uint8, offset=16 if part.endswith("images") else 8))
    return arrays


def _cifar_binary(folder, dataset):
    """Six batches, loose or in the published archive; a record is a label and the red, green and blue planes."""
    names = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]
    archive = folder / "cifar-10-binary.tar.gz"
    if archive.exists():
        with tarfile.open(archive) as members:
            batches = [members.extractfile(f"cifar-10-batches-bin/{name}").read() for name in names]
    else:
        loose = folder / "cifar-10-batches-bin"
        batches = [((loose if loose.exists() else folder) / name).read_bytes() for name in names]
    height, width, channels = dataset["image_shape"]
    records = np.frombuffer(b"".join(batches), np.uint8).reshape(-1, 1 + channels * height * width)
    labels, planes = records[:, 0], records[:, 1:].reshape(-1, channels, height, width)
    images, split = np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), dataset["train_examples"]
    return images[:split], labels[:split], images[split:], labels[split:]


def _cifar_sheets(folder, dataset):
    """Six sheets of 10,000 rows, a row being one image's pixels in row order, and two lists of labels."""
    from PIL import Image

    def images(*names):
        return np.concatenate([np.asarray(Image.open(folder / f"{name}.png").convert("RGB")) for name in names])

    def labels(name):
        return np.array(json.loads((folder / name).read_text(encoding="utf-8")), np.uint8)

    train = images(*(f"data_batch_{number}" for number in range(1, 6)))
    # "lables" is how the package spells it.
    return train, labels("train_lables.json"), images("test_batch"), labels("test_lables.json")


DECODERS = {"idx": _idx, "cifar_binary": _cifar_binary, "cifar_sheets": _cifar_sheets, "parts": parts.read}
