"""Real workers killed at thirty random moments and resumed: every run ends as the one that was never killed."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.fault_storm import Storm, train_references

# Those whose training has a state of its own; the benchmark kills one without, too.
RECIPES = ("modern", "report")
KILLS_OF_EACH = 15


@pytest.mark.timeout(900)
def test_runs_killed_at_random_moments_lose_nothing(artifacts, monkeypatch):
    monkeypatch.setenv("LAB_TRAIN_AT_ONCE", str(len(RECIPES)))
    references = train_references(RECIPES)
    storms = [Storm(seed) for seed in range(len(references))]
    with ThreadPoolExecutor() as threads:
        struck = [
            threads.submit(storm.strike, config, reference, KILLS_OF_EACH)
            for storm, (config, reference) in zip(storms, references.items(), strict=True)
        ]
        for one in struck:
            one.result()
    assert sum(storm.kills for storm in storms) == 30
    for storm in storms:
        assert storm.kills == storm.resumed == KILLS_OF_EACH
        assert (storm.finished, storm.damaged, storm.lost) == (1, [], 0)
