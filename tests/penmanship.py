"""Digits as pen strokes, and a small network that has learned to read such drawings."""

import functools
import string
import tempfile
from pathlib import Path

import numpy as np

from core.digits.strokes import digit_image
from core.runs.run import Run

PEN = 0.085
_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


def _arc(x, y, width, height, start=0.0, end=1.0):
    """Part of an ellipse, in turns clockwise from the right."""
    turn = np.linspace(2 * np.pi * start, 2 * np.pi * end, 30)
    return list(zip(x + width * np.cos(turn), y + height * np.sin(turn), strict=True))


# One way to write each digit: a list of strokes, each a list of corners (x to the right, y down, in 0..1).
DIGITS = (
    [_arc(0.5, 0.5, 0.2, 0.32)],
    [[(0.5, 0.16), (0.5, 0.84)]],
    [[*_arc(0.5, 0.36, 0.2, 0.18, 0.5, 1.1), (0.3, 0.82), (0.72, 0.82)]],
    [[*_arc(0.48, 0.34, 0.18, 0.17, 0.55, 1.25), *_arc(0.48, 0.67, 0.2, 0.17, 0.75, 1.45)]],
    [[(0.36, 0.16), (0.3, 0.54), (0.74, 0.54)], [(0.62, 0.2), (0.6, 0.86)]],
    [[(0.68, 0.18), (0.36, 0.18), (0.34, 0.46), *_arc(0.48, 0.64, 0.2, 0.2, 0.72, 1.4)]],
    [[(0.58, 0.16), (0.36, 0.44), *_arc(0.48, 0.66, 0.16, 0.18, 0.5, 1.55)]],
    [[(0.28, 0.22), (0.72, 0.22), (0.45, 0.82)]],
    [_arc(0.5, 0.33, 0.15, 0.16), _arc(0.5, 0.67, 0.18, 0.18)],
    [[*_arc(0.5, 0.36, 0.17, 0.18, 0, 1.0), (0.62, 0.86)]],
)


def strokes(digit, turn=0.0, slant=0.0, stretch=1.0, pen=PEN):
    """The digit as the pad sends it, turned by radians, slanted and stretched sideways about the pad's middle."""
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    move = turned @ np.array([[stretch, slant], [0, 1]])
    written = [(np.array(corners) - 0.5) @ move.T + 0.5 for corners in DIGITS[digit]]
    return [{"width": pen, "points": np.clip(corners, 0, 1).round(4).tolist()} for corners in written]


def address_of(drawing):
    """The drawing as the pad writes it into the page's address."""

    def letters(number):
        rest, text = 2 * abs(number) + (number < 0), ""
        while True:
            rest, low = divmod(rest, 32)
            text += _LETTERS[low + 32 * (rest > 0)]
            if not rest:
                return text

    parts = []
    for stroke in drawing:
        points = np.rint(1000 * np.array(stroke["points"])).astype(int)
        ways = np.diff(points, axis=0, prepend=np.zeros((1, 2), int))
        parts.append("".join(letters(int(number)) for number in [round(1000 * stroke["width"]), *ways.ravel()]))
    return ".".join(parts)


def variations(count, seed=0):
    """`count` drawings of each digit: images uint8 (10 * count, 28, 28, 1) and labels."""
    random = np.random.default_rng(seed)
    images = [
        digit_image(strokes(digit, *random.normal((0, 0, 1), (0.1, 0.15, 0.12)), random.uniform(0.05, 0.1)))
        for digit in range(10)
        for _ in range(count)
    ]
    return np.stack(images)[..., None], np.repeat(np.arange(10), count)


def build_reader():
    """A Keras network of one dense layer from uint8 (28, 28, 1) images to logits, fitted by least squares."""
    import keras

    images, labels = variations(60)
    pixels = np.concatenate([images.reshape(len(images), -1) / 255, np.ones((len(images), 1))], axis=1)
    targets = 12 * np.eye(10)[labels]
    weights = np.linalg.solve(pixels.T @ pixels + 5 * np.eye(pixels.shape[1]), pixels.T @ targets)
    drawing = keras.Input((28, 28, 1), dtype="uint8")
    answer = keras.layers.Dense(10)
    network = keras.Model(drawing, answer(keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(drawing))))
    answer.set_weights([weights[:-1], weights[-1]])
    return network


@functools.cache
def reader_file():
    """The bytes of the reader's model.tflite, exported as training does."""
    from core.export.litert import save_tflite

    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder))
        save_tflite(build_reader(), run)
        return run.tflite_path.read_bytes()


def teach(run):
    """Gives a run the reader for its network; returns the run."""
    run.tflite_path.write_bytes(reader_file())
    return run
