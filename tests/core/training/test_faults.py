"""A real worker killed at a moment of every kind and resumed: its run ends as the one that was never killed."""

import dataclasses

import pytest

from benchmarks.fault_storm import CONFIGS, Storm, evaluating, inside_an_epoch, starting, writing_a_checkpoint
from core.runs.run import create_run
from core.training import train

MOMENTS = [starting, inside_an_epoch, writing_a_checkpoint, evaluating]


@pytest.mark.timeout(900)
def test_a_run_killed_at_moments_of_every_kind_loses_nothing(artifacts, monkeypatch):
    # Which has averaged weights and one cycle; the benchmark kills others, too, and more often.
    config = dataclasses.replace(CONFIGS["modern"], epochs=4, record_test_predictions=False)
    for last in ("_evaluate", "save_network", "save_tflite", "fingerprints"):
        monkeypatch.setattr(train, last, lambda *arguments: {})
    reference = create_run(config, state="stopped")
    train.train(config, reference.path, verbose=0)
    storm = Storm()
    monkeypatch.setattr(storm, "_moments", lambda kills: MOMENTS)
    storm.strike(config, reference, len(MOMENTS))
    assert storm.kills == storm.resumed == len(MOMENTS)
    assert (storm.finished, storm.damaged, storm.lost) == (1, [], 0)
