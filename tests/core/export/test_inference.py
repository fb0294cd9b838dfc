"""An exported network answers through LiteRT as it does in Keras, and without it."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from core.digits.strokes import digit_image
from core.export.litert_reader import Classifier
from core.runs.run import RunError
from tests.folders import finished_run
from tests.penmanship import build_reader, strokes, teach, variations


@pytest.fixture(autouse=True)
def artifacts(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_ARTIFACTS", str(tmp_path))


@pytest.fixture
def run():
    return teach(finished_run())


def drawn(digit):
    return digit_image(strokes(digit))[None, ..., None]


@pytest.mark.parametrize("digit", range(10))
def test_it_reads_the_digit_that_was_drawn(run, digit):
    assert Classifier(run).classify(drawn(digit)).argmax() == digit


def test_probabilities_are_keras_own_softmaxed(run):
    import keras

    images, _ = variations(7, seed=1)
    wanted = keras.ops.convert_to_numpy(keras.ops.softmax(build_reader()(images)))
    answered = Classifier(run).classify(images)
    assert (answered.shape, answered.dtype) == ((70, 10), np.float32)
    np.testing.assert_allclose(answered.sum(axis=1), 1, rtol=1e-5)
    # 8-bit weights move a logit by a few hundredths.
    np.testing.assert_allclose(answered, wanted, atol=0.05)


def test_an_answer_does_not_depend_on_how_many_images_come_at_once(run):
    images, _ = variations(13)
    classifier = Classifier(run)
    together = classifier.classify(images)
    alone = np.concatenate([classifier.classify(images[number : number + 1]) for number in range(len(images))])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_large_logits_do_not_overflow(run):
    """Warnings are errors here, and an overflow would warn."""
    assert np.isfinite(Classifier(run).classify(np.full((1, 28, 28, 1), 255, np.uint8))).all()


def test_threads_share_one_classifier(run):
    classifier, answers = Classifier(run), {}

    def ask(digit):
        answers[digit] = [
            int(classifier.classify(np.repeat(drawn(digit), 1 + n % 3, 0)).argmax(1)[0]) for n in range(50)
        ]

    threads = [threading.Thread(target=ask, args=(digit,)) for digit in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {digit: [digit] * 50 for digit in range(10)}


def test_images_of_another_shape_are_refused_in_one_sentence(run):
    with pytest.raises(RunError, match=r"takes images of 28×28×1, not 32×32×3\.$"):
        Classifier(run).classify(np.zeros((1, 32, 32, 3), np.uint8))


def test_a_run_without_a_network_says_so():
    with pytest.raises(RunError, match=r"has no model\.tflite: it was not trained to its end\.$"):
        Classifier(finished_run())


def test_a_run_that_came_without_its_network_says_why():
    run = finished_run()
    run.shipped_path.touch()
    with pytest.raises(RunError, match=r"has no model\.tflite: it came without, to keep the download small\.$"):
        Classifier(run)


@pytest.mark.parametrize("content", [b"", b"not a network", bytes(20_000)], ids=len)
def test_a_damaged_network_is_said_in_one_sentence(content):
    run = finished_run()
    run.tflite_path.write_bytes(content)
    with pytest.raises(RunError, match=r"model\.tflite: it is not a LiteRT network; delete the file and .*\.$"):
        Classifier(run)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_a_network_cut_short_is_said_in_one_sentence(run, share):
    whole = run.tflite_path.read_bytes()
    run.tflite_path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(RunError, match=r"model\.tflite: it cannot be loaded as a network; delete the file and .*\.$"):
        Classifier(run)


def test_answering_brings_in_neither_tensorflow_nor_keras(run):
    program = (
        "import sys, numpy; from core.export.litert_reader import Classifier; from core.runs.run import open_run;"
        "Classifier(open_run(sys.argv[1])).classify(numpy.zeros((1, 28, 28, 1), 'uint8'));"
        "print(sorted({'tensorflow', 'keras', 'jax', 'torch'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, run.id]
    project = Path(__file__).parents[3]
    printed = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout
    assert printed == "[]\n"
