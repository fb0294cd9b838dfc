"""Real workers killed at thirty random moments and resumed: every run ends as the one that was never killed."""

import pytest

from benchmarks.fault_storm import CONFIGS, Storm, until
from core import jobs

KILLS = 10


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", CONFIGS)
def test_runs_killed_at_random_moments_lose_nothing(artifacts, kind):
    config = CONFIGS[kind]
    reference = jobs.start(config)
    until(reference, lambda status: status["state"] == "completed")
    storm = Storm(seed=len(kind))
    storm.strike(config, reference, KILLS)
    assert storm.kills == storm.resumed == KILLS
    assert (storm.finished, storm.damaged, storm.lost) == (1, [], 0)
