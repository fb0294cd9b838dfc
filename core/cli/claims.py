"""The command for claims: what finished runs say of each, and the training of what is missing."""

import sys

from core.jobs.sweep import train_all
from core.results import claims as results
from core.runs.run import list_runs


def claims(names, scale, seeds, train):
    """Say of each claim whether finished runs bear it out, and train what is missing for that."""
    found, wrong = results.claims()
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    if unknown := sorted(set(names) - {claim.name for claim in found}):
        print(f"There is no claim called {unknown[0]}; there are {', '.join(claim.name for claim in found)}.")
        return 2
    asked = [claim for claim in found if claim.name in names or not names]
    there = _there()
    lacking = [one for claim in asked for one in results.judge(claim, scale, there, seeds)[1]]
    if train and (configs := results.missing(lacking)):
        try:
            train_all(configs)
        except KeyboardInterrupt:
            print("Stopped; the same command goes on where this one was.")
            return 130
        there = _there()
    for claim in asked:
        _say(claim, *results.judge(claim, scale, there, seeds))
    return 0


def _there():
    return results.figures_among(results.newest_finished(list_runs()))


def _say(claim, verdict, found):
    print(f"{claim.name}: {verdict}. {claim.text}")
    for one in found:
        print(f"  {one.comparison.label()}: {results.effect_in_words(one)}; claimed is {one.comparison.bounds()}")
    lacking = results.missing(found)
    if lacking:
        print("  1 run is missing." if len(lacking) == 1 else f"  {len(lacking)} runs are missing.")
