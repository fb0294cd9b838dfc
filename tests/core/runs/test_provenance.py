"""Where a run was trained, in a sentence or two."""

import pytest

from core.runs.provenance import in_words, machines

EPYC = {"processor": "AMD EPYC 9R14", "cores": 4, "gpus": []}
H100 = {"processor": "Intel Xeon", "cores": 8, "gpus": ["NVIDIA H100"]}
VERSIONS = {"keras": "3.15.1", "backend": "jax", "backend_version": "0.10.2", "python": "3.12.1", "code": "0123456789"}
ON_EPYC = "on AMD EPYC 9R14, 4 cores."
LIBRARIES = "Keras 3.15.1, jax 0.10.2, Python 3.12.1"


def session(first, last, *facts):
    told = {"first_epoch": first, "last_epoch": last}
    for more in facts:
        told |= more
    return told


@pytest.mark.parametrize(
    ("sessions", "words"),
    [
        ([], ""),
        ([session(None, None, EPYC)], ""),
        ([session(1, 9, EPYC)], f"Trained in one session {ON_EPYC}"),
        ([session(1, 3, EPYC), session(4, 9, EPYC)], f"Trained in 2 sessions {ON_EPYC}"),
        (
            [session(1, 3, EPYC), session(4, 9, H100)],
            "Trained in 2 sessions: epochs 1 to 3 on AMD EPYC 9R14, 4 cores; epochs 4 to 9 on NVIDIA H100.",
        ),
        (
            [session(1, 1, H100), session(2, 5, EPYC), session(None, None, H100), session(6, 9, EPYC)],
            "Trained in 3 sessions: epoch 1 on NVIDIA H100; epochs 2 to 9 on AMD EPYC 9R14, 4 cores.",
        ),
        ([session(1, 2, {"gpus": ["A10G", "A10G", "T4"]})], "Trained in one session on 2 × A10G and T4."),
        (
            [session(1, 9, EPYC, VERSIONS)],
            f"Trained in one session {ON_EPYC} {LIBRARIES}, code 0123456789.",
        ),
        (
            [session(1, 3, EPYC, VERSIONS), session(4, 9, EPYC, VERSIONS | {"code": "unknown"})],
            f"Trained in 2 sessions {ON_EPYC} {LIBRARIES}, code 0123456789; later {LIBRARIES}.",
        ),
        # From before processors and GPUs were recorded by name.
        ([session(1, 9, {"cores": 2, "devices": ["cpu:0"]})], "Trained in one session on a machine with 2 cores."),
        ([session(1, 9, {"cores": 2, "devices": ["cpu:0", "gpu:0"]})], "Trained in one session on gpu:0."),
        ([session(1, 9)], "Trained in one session on a machine that was not recorded."),
    ],
)
def test_sessions_are_told_in_words(sessions, words):
    assert in_words(sessions) == words


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({}, ""),
        ({"sessions": [EPYC]}, ""),
        ({"sessions": [EPYC | {"first_epoch": 1}, EPYC | {"first_epoch": 4}]}, "AMD EPYC 9R14, 4 cores"),
        (
            {"sessions": [EPYC | {"first_epoch": 1}, H100, H100 | {"first_epoch": 4}, EPYC | {"first_epoch": 6}]},
            "AMD EPYC 9R14, 4 cores; NVIDIA H100",
        ),
        # From before there were sessions, and before processors were recorded by name.
        ({"environment": {"cores": 2, "devices": ["cpu:0"], "backend": "jax"}}, "a machine with 2 cores"),
    ],
)
def test_the_machines_of_a_run_are_told_without_its_history(record, words):
    assert machines(record) == words
