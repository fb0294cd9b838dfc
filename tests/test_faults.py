"""Real workers killed at thirty random moments and resumed: every run ends as the one that was never killed."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.fault_storm import KILLS_OF_A_RUN, Storm, train_references


@pytest.mark.timeout(900)
def test_runs_killed_at_random_moments_lose_nothing(artifacts, monkeypatch):
    monkeypatch.setenv("LAB_TRAIN_AT_ONCE", "3")
    references = train_references()
    storms = [Storm(seed) for seed in range(len(references))]
    with ThreadPoolExecutor() as threads:
        struck = [
            threads.submit(storm.strike, config, reference, KILLS_OF_A_RUN)
            for storm, (config, reference) in zip(storms, references.items(), strict=True)
        ]
        for one in struck:
            one.result()
    assert len(storms) == 3
    for storm in storms:
        assert storm.kills == storm.resumed == KILLS_OF_A_RUN
        assert (storm.finished, storm.damaged, storm.lost) == (1, [], 0)
