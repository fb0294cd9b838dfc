"""Writes a loaded dataset back into the original files that people download, for tests of reading them."""

import gzip
import io
import struct
import tarfile

from core.datasets.catalogue import DATASETS


def idx_bytes(array):
    """An idx file: type and rank, the sizes, the bytes. A last axis of one channel is not part of it."""
    sizes = array.shape[:3]
    return bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + array.tobytes()


def write(name, dataset, folder):
    """Write the dataset's original files into the folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    WRITERS[DATASETS[name]["originals_format"]](DATASETS[name]["originals"], dataset, folder)
    return folder


def _write_idx(names, dataset, folder):
    for name, array in zip(names, dataset, strict=True):
        with gzip.open(folder / name, "wb", compresslevel=0) as file:
            file.write(idx_bytes(array))


def _write_cifar(names, dataset, folder):
    def batch(images, labels):
        planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
        return b"".join(bytes([label]) + plane.tobytes() for label, plane in zip(labels, planes, strict=True))

    step = 10_000
    batches = {
        f"data_batch_{number + 1}.bin": batch(
            dataset.train_images[number * step : (number + 1) * step],
            dataset.train_labels[number * step : (number + 1) * step],
        )
        for number in range(5)
    } | {"test_batch.bin": batch(dataset.test_images, dataset.test_labels)}
    with tarfile.open(folder / names[0], "w:gz", compresslevel=0) as archive:
        for name, content in batches.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


WRITERS = {"idx": _write_idx, "cifar_binary": _write_cifar}
