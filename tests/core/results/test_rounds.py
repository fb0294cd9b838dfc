"""A round against the networks: which images it has, what an address may say of it, and who was fooled."""

import numpy as np
import pytest

from core.results import rounds
from core.results.rounds import Player, RoundError

LABELS = np.arange(400) % 10


def player(wrong, confidence=0.9):
    """One that is wrong about these images, and as sure of each as the confidence says, a number or an array."""
    classes = LABELS.copy()
    classes[list(wrong)] = (classes[list(wrong)] + 1) % 10
    return Player(classes, np.broadcast_to(confidence, LABELS.shape))


def test_the_hard_end_begins_with_what_most_networks_get_wrong():
    players = [player(range(60)), player(range(30, 60)), player(range(50, 60))]
    hard = rounds.hard_images(players, LABELS).tolist()
    assert set(hard[:10]) == set(range(50, 60))
    assert set(hard[10:30]) == set(range(30, 50))
    # Twice as many as the 33 that a network gets wrong on average.
    assert len(hard) == 67


def test_of_right_images_the_least_sure_are_the_hardest_and_there_are_fifty_at_least():
    sure = np.linspace(1, 0.6, len(LABELS))
    hard = rounds.hard_images([player((), sure), player((7,), sure)], LABELS).tolist()
    assert hard[0] == 7
    assert hard[1:] == list(range(399, 350, -1))


def test_a_network_is_wrong_about_half_of_the_hard_end():
    random = np.random.default_rng(0)
    players = [player(random.choice(400, 80, replace=False)) for _ in range(3)]
    hard = rounds.hard_images(players, LABELS)
    assert 0.4 < np.mean([each.classes[hard] != LABELS[hard] for each in players]) < 0.6


def test_a_round_is_the_same_for_the_same_number_and_another_for_another():
    first = rounds.drawn(range(10_000), 1)
    # On every machine, so that a link holds.
    assert first == rounds.drawn(np.arange(10_000), 1) == [3918, 9653, 6733, 6193, 3872, 4385, 1154, 9128, 5328, 9107]
    assert len(set(first)) == rounds.IMAGES
    assert len({tuple(rounds.drawn(range(10_000), number)) for number in range(1, 200)}) == 199
    assert sorted(rounds.drawn(range(10), 3)) == list(range(10))


@pytest.mark.parametrize("text", ["", "12345678901", "37x", "-1", "³", "3 7"])
def test_what_an_address_says_wrongly_is_one_sentence(text):
    for read in (rounds.read_number, rounds.read_choices, rounds.read_seconds):
        if (read, text) in ((rounds.read_choices, ""), (rounds.read_seconds, "12345678901")):
            continue
        with pytest.raises(RoundError, match=r"^The link's [^.]+ ignored\.$"):
            read(text)


def test_what_an_address_says_is_read():
    assert rounds.read_choices("") == []
    assert rounds.read_choices("3751") == [3, 7, 5, 1]
    assert rounds.read_number("9999") == rounds.MOST_ROUNDS
    assert rounds.read_seconds("0") == 0


@pytest.mark.parametrize(("waited", "counted"), [(-5, 1), (0.2, 1), (7.9, 7), (1e9, rounds.MOST_SECONDS)])
def test_an_image_counts_from_a_second_to_five_minutes(waited, counted):
    assert rounds.seconds_since(1000, 1000 + waited) == counted


def test_the_score_says_who_was_fooled_by_which():
    at = list(range(rounds.IMAGES))
    labels = LABELS[at]
    them = [Player(each.classes[at], each.confidences[at]) for each in (player((0, 1, 2)), player((2, 3)))]
    choices = [*labels[:2], 9, *labels[3:5], 0]
    score = rounds.score(choices, them, labels)
    assert score.mine == [True, True, False, True, True, False]
    assert [sum(marks) for marks in score.theirs] == [3, 4]
    assert score.fooled_them == [0, 1, 3]
    assert score.fooled_all == [2]
    assert score.fooled_me == [5]
    assert rounds.score([], them, labels).mine == []
