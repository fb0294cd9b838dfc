"""The story of each test image, on histories that can be told by hand, and on those of the runs that came along."""

from pathlib import Path

import numpy as np
import pytest

from core.explain import image_history
from core.results.scores import confusion_matrix, losses
from core.runs.run import Run

ARTIFACTS = Path(__file__).parents[3] / "artifacts"

# Whether an image of class 1 is right after each of six epochs -> its story.
TOLD = {
    "111111": "right after every epoch",
    "001111": "right from epoch 3 on",
    "000000": "never right in 6 epochs",
    "101111": "forgotten once, right from epoch 3 on",
    "010101": "forgotten twice, right from epoch 6 on",
    "101010": "forgotten 3 times, wrong in the end",
    "011110": "forgotten once, wrong in the end",
    "000001": "right from epoch 6 on",
}


@pytest.fixture
def told():
    """What each image was taken for after each epoch, and its label."""
    classes = np.array([[int(mark) for mark in marks] for marks in TOLD], np.uint8).T
    return classes, np.ones(len(TOLD), np.uint8)


def test_each_image_has_its_story_in_words(told):
    found = image_history.stories(*told)
    assert [image_history.in_words(found, image, 6) for image in range(len(TOLD))] == list(TOLD.values())


def test_a_single_epoch_is_a_story_too():
    found = image_history.stories(np.array([[1, 2]], np.uint8), np.ones(2, np.uint8))
    assert [image_history.in_words(found, image, 1) for image in (0, 1)] == [
        "right after the first epoch",
        "never right in 1 epoch",
    ]


def test_images_are_told_apart_by_how_they_were_learned(told):
    found = image_history.stories(*told)

    def which(choose):
        return [marks for marks, chosen in zip(TOLD, choose(found, 6), strict=True) if chosen]

    assert which(image_history.never_learned) == ["000000"]
    assert which(image_history.were_forgotten) == ["101111", "010101", "101010", "011110"]
    assert which(image_history.learned_late) == ["010101", "000001"]


def test_the_most_forgotten_come_first_and_of_equals_the_one_that_was_right_least_often(told):
    order = image_history.by_forgetting(image_history.stories(*told))
    assert [list(TOLD)[image] for image in order] == [
        "101010", "010101", "011110", "101111", "000000", "000001", "001111", "111111",
    ]  # fmt: skip


def test_the_stories_of_a_run_that_came_along_are_those_of_a_count_epoch_by_epoch():
    (folder,) = ARTIFACTS.glob("lenet5-fashion_mnist-modern-*")
    arrays = Run(folder).read_predictions()
    found = image_history.stories(arrays["epoch_classes"], arrays["labels"])
    assert found.forgotten.max() > 3
    for image in range(0, 10_000, 20):
        forgotten, learned, before = 0, 0, False
        for epoch, predicted in enumerate(arrays["epoch_classes"][:, image], start=1):
            right = predicted == arrays["labels"][image]
            forgotten += before and not right
            learned = (learned or epoch) if right else 0
            before = right
        assert (found.forgotten[image], found.learned[image]) == (forgotten, learned)


def test_the_matrix_of_each_epoch_is_that_of_its_predictions():
    random = np.random.default_rng(0)
    classes, labels = random.integers(0, 10, (4, 300), np.uint8), random.integers(0, 10, 300, np.uint8)
    found = image_history.matrices(classes, labels, 10)
    for epoch in range(4):
        assert (found[epoch] == confusion_matrix(np.eye(10)[classes[epoch]], labels)).all()


def test_the_least_loss_is_exact_for_what_is_right_and_never_more_than_the_loss():
    random = np.random.default_rng(0)
    logits, labels = random.normal(0, 2, (500, 10)), random.integers(0, 10, 500)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classes, true = shares.argmax(axis=1), losses(logits, labels)
    least = image_history.least_losses(classes, shares.max(axis=1), labels)
    right = classes == labels
    assert 0 < right.sum() < 500
    assert least[right] == pytest.approx(true[right])
    assert (least <= true + 1e-9).all()
    assert image_history.least_losses(np.array([1]), np.array([1.0]), np.array([2]))[0] == np.inf
