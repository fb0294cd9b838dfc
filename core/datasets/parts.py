"""A dataset in parts of a chosen size that can be carried one by one: without loss, and each with its checksum."""

import hashlib
import io
import json
import zipfile

import numpy as np

from core.datasets.sheets import to_images, to_picture

MANIFEST = "parts.json"
_IMAGES_A_SHEET = 10_000


class PartsError(RuntimeError):
    """Parts are missing or damaged; the message says which, to go inside a sentence."""


def are_in(folder):
    """Whether the folder holds a dataset in parts."""
    return (folder / MANIFEST).exists()


def write(arrays, folder, part_bytes):
    """Writes a dataset into a folder, which is made.

    The parts are one archive, cut into pieces: of the images lossless pictures, which are three fifths of the original
    files where there is colour, and the labels as they are.

    Args:
        arrays: a core.datasets.loading.Dataset.
        folder: the last part of its name begins the names of the parts.
        part_bytes: the largest that a part may be, from 1.

    Returns:
        The paths of the parts.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays._asdict().items():
            if name.endswith("labels"):
                archive.writestr(name, np.asarray(array).tobytes())
                continue
            for start in range(0, len(array), _IMAGES_A_SHEET):
                with archive.open(f"{name}/{start:06}.webp", "w") as file:
                    # The quickest way that WebP has: others take five times as long to save a thirtieth of CIFAR-10.
                    to_picture(array[start : start + _IMAGES_A_SHEET]).save(
                        file, "webp", lossless=True, quality=0, method=0
                    )
    folder.mkdir(parents=True, exist_ok=True)
    content, found, paths = buffer.getvalue(), [], []
    for number, start in enumerate(range(0, len(content), part_bytes), start=1):
        part = content[start : start + part_bytes]
        paths.append(folder / f"{folder.name}.{number:03}")
        paths[-1].write_bytes(part)
        found.append({"file": paths[-1].name, "bytes": len(part), "sha256": hashlib.sha256(part).hexdigest()})
    (folder / MANIFEST).write_text(json.dumps({"parts": found}, indent=2) + "\n", "utf-8")
    return paths


def read(folder, dataset):
    """The four arrays in the parts of a folder; whether they are the known ones is for the caller to check.

    Args:
        dataset: an entry of DATASETS.

    Raises:
        PartsError: parts are missing or damaged.
    """
    with _opened(folder) as archive:
        names = sorted(archive.namelist())

        def images(part):
            sheets = [io.BytesIO(archive.read(name)) for name in names if name.startswith(f"{part}/")]
            return np.concatenate([to_images(sheet, dataset["image_shape"]) for sheet in sheets])

        def labels(part):
            return np.frombuffer(archive.read(part), np.uint8)

        return images("train_images"), labels("train_labels"), images("test_images"), labels("test_labels")


def _opened(folder):
    content = _joined(folder)
    try:
        return zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile:
        raise PartsError(f"what the parts in {folder} make up is no dataset; pack them again") from None


def _joined(folder):
    try:
        listed = [
            (part["file"], part["sha256"]) for part in json.loads((folder / MANIFEST).read_text("utf-8"))["parts"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        raise PartsError(f"{MANIFEST} in {folder} is damaged; copy it there again") from None
    contents, wrong = [], []
    for name, digest in listed:
        try:
            contents.append((folder / name).read_bytes())
        except OSError:
            wrong.append(f"{name} is missing")
        else:
            if hashlib.sha256(contents[-1]).hexdigest() != digest:
                wrong.append(f"{name} is damaged")
    if wrong:
        them = "it" if len(wrong) == 1 else "them"
        raise PartsError(f"of its {len(listed)} parts in {folder}, {', '.join(wrong)}; copy {them} there again")
    return b"".join(contents)
