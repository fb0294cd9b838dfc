"""A real worker killed at seven random moments and resumed: its run ends as the one that was never killed."""

import pytest

from benchmarks.fault_storm import Storm, train_references

# Which has averaged weights and one cycle; the benchmark kills others, too, and more often.
RECIPE = "modern"
KILLS = 7


@pytest.mark.timeout(900)
def test_a_run_killed_at_random_moments_loses_nothing(artifacts):
    ((config, reference),) = train_references([RECIPE]).items()
    storm = Storm()
    storm.strike(config, reference, KILLS)
    assert storm.kills == storm.resumed == KILLS
    assert (storm.finished, storm.damaged, storm.lost) == (1, [], 0)
