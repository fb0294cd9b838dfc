"""The whole command line: which commands there are, and what each is asked for."""

import argparse

from core.cli import catalogue, claims, offline, runs, training
from core.config.recipes import RECIPES
from core.config.run_config import FIELDS, described, option
from core.datasets.catalogue import DATASETS
from core.export import FORMATS
from core.networks.catalogue import NETWORKS
from core.pack import ALL
from core.pack import NAME as PACK
from core.results.claims import SCALES, SEEDS

_MOST_SEEDS = 1000


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence and exits with 2."""

    def error(self, message):
        self.exit(2, f"{message[0].upper()}{message[1:].rstrip('.')}. See {self.prog} --help.\n")


def _seeds(text):
    """ "3" or "0-4" as a range."""
    first, dash, last = text.partition("-")
    if not first.isdecimal() or not (last if dash else "0").isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a seed, as 3 is, nor several, as 0-4 are")
    found = range(int(first), int(last or first) + 1)
    if not 1 <= len(found) <= _MOST_SEEDS:
        raise argparse.ArgumentTypeError(f"{text!r} is {len(found):,} seeds; name from 1 to {_MOST_SEEDS:,}")
    return found


def parser(kind=Parser):
    """The whole command line, as a parser of this kind."""
    top = kind(prog="python -m core", description="The lab without a browser: python -m core COMMAND.")
    verbs = top.add_subparsers(required=True, metavar="COMMAND")

    def verb(function):
        added = verbs.add_parser(function.__name__, help=function.__doc__.splitlines()[0], description=function.__doc__)
        added.set_defaults(run=function)
        return added

    data = verb(catalogue.data)
    data.add_argument("datasets", nargs="*", metavar="DATASET", help=f"{', '.join(DATASETS)}; all if none is named")
    data.add_argument("--folder", help="a folder that holds the original files")

    networks = verb(catalogue.networks)
    networks.add_argument("networks", nargs="*", metavar="NETWORK", help=f"{', '.join(NETWORKS)}; all if none is named")
    networks.add_argument("--dataset", default="mnist", choices=DATASETS, help="whose images it takes (mnist)")
    networks.add_argument("--recipe", default="report", choices=RECIPES, help="whose settings it has (report)")
    add_settings(networks, {"Network"})

    verb(catalogue.settings)

    train = verb(training.train)
    train.add_argument("network", nargs="?", metavar="NETWORK", help=", ".join(NETWORKS))
    train.add_argument("dataset", nargs="?", metavar="DATASET", help=", ".join(DATASETS))
    train.add_argument("--recipe", default="quick", metavar="NAME", help=f"{', '.join(RECIPES)} (quick)")
    train.add_argument("--run", dest="run_id", help="go on with a run that was stopped or interrupted")
    train.add_argument("--finish", action="store_true", help="with --run: only test and save its best epoch so far")
    _add_cluster(train)
    add_settings(train, {field.metadata["group"] for field in FIELDS.values()})

    sweep = verb(training.sweep)
    sweep.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=NETWORKS, help="(all)")
    sweep.add_argument("--datasets", nargs="+", default=list(DATASETS), choices=DATASETS, help="(all)")
    sweep.add_argument("--recipes", nargs="+", default=["modern"], choices=RECIPES, help="(modern)")
    sweep.add_argument("--seeds", nargs="+", default=[range(1)], type=_seeds, metavar="N", help="0 1 2, or 0-2 (0)")
    sweep.add_argument("--at-once", type=int, metavar="N", help="how many train side by side (one, or one a GPU)")
    _add_cluster(sweep)
    add_settings(sweep, {field.metadata["group"] for field in FIELDS.values()} - {"Run"})

    _add_results(verb)
    for command in (training.pause, training.stop):
        verb(command).add_argument("run_id", metavar="RUN")
    evaluate = verb(runs.evaluate)
    evaluate.add_argument("run_id", metavar="RUN")
    verb(runs.map).add_argument("run_id", metavar="RUN")
    export = verb(runs.export)
    export.add_argument("run_id", metavar="RUN")
    export.add_argument("folder", metavar="FOLDER", help="the folder to write to; made if it does not exist")
    export.add_argument("--formats", nargs="+", choices=FORMATS, help=f"{', '.join(FORMATS)} (all)")
    _add_shipping(verb)
    _add_offline(verb)
    return top


def _add_results(verb):
    """The commands that say what runs amount to."""
    verb(runs.runs)
    judge = verb(claims.claims)
    judge.add_argument("names", nargs="*", metavar="CLAIM", help="as their files are called; all if none is named")
    judge.add_argument("--scale", default="quick", choices=SCALES, help="on which runs: quick ones, or the report's")
    judge.add_argument("--seeds", type=int, choices=range(1, 11), default=SEEDS, metavar="N", help=f"from 1 ({SEEDS})")
    judge.add_argument("--train", action="store_true", help="first train the runs that are missing")
    pack = verb(runs.pack)
    pack.add_argument("folder", metavar="FOLDER", help=f"where {PACK} is written to, in place of one that is there")
    pack.add_argument(
        "--runs",
        nargs="+",
        metavar="RUN",
        help=f"which runs go in, or {ALL} (the best of each network and dataset, with all its seeds)",
    )


def _add_cluster(command):
    command.add_argument(
        "--cluster", metavar="ADDRESS", help="train on this Ray cluster: HOST:PORT, or auto for the one of this machine"
    )


def _add_shipping(verb):
    ship = verb(runs.ship)
    ship.add_argument("run_ids", nargs="+", metavar="RUN")
    ship.add_argument("--folder", help="the artifacts folder to copy them into (the project's own)")
    ship.add_argument(
        "--no-network", dest="network", action="store_false", help="do not copy the 8-bit network for drawings"
    )
    ship.add_argument("--thin", action="store_true", help="only figures and predictions, as the evidence for a claim")


def _add_offline(verb):
    """The commands for machines without a network."""
    bundle = verb(offline.bundle)
    bundle.add_argument("folder", metavar="FOLDER", help="the folder to write to; made if it does not exist")
    bundle.add_argument(
        "--plan", required=True, help="a text file: each line is what train takes, as in: alexnet mnist"
    )
    bundle.add_argument("--python", metavar="VERSION", help="the other machine's Python, as in 3.11 (this machine's)")
    bundle.add_argument(
        "--platform", help="the other machine, as pip calls it: manylinux_2_28_x86_64, for example (this machine)"
    )
    bundle.add_argument(
        "--with",
        dest="extra",
        action="append",
        default=[],
        metavar="REQUIREMENT",
        help='one more package; "jax[cuda13]==0.10.2" trains on JAX',
    )
    bundle.add_argument(
        "--part-size", type=float, default=100, metavar="MB", help="the largest part of a dataset, in MB (100)"
    )
    bundle.add_argument(
        "--no-wheels", dest="wheels", action="store_false", help="the other machine has the packages already"
    )
    plan = verb(offline.plan)
    plan.add_argument("file", metavar="PLAN", help="a text file, as for bundle")
    plan.add_argument("--at-once", type=int, metavar="N", help="how many train side by side (one, or one a GPU)")
    plan.add_argument("--results", metavar="FILE", help="an archive of the runs, kept up to date, for collect")
    plan.add_argument("--networks", action="store_true", help="put the trained networks into it too")
    verb(offline.collect).add_argument("source", metavar="FILE", help="the archive, or a folder of runs")


def add_settings(command, groups):
    """An option for each setting of these groups, from its declaration in RunConfig."""
    for name, field in FIELDS.items():
        meta = field.metadata
        if meta["group"] in groups and name not in ("network", "dataset", "recipe"):
            kind = {"type": field.type, "metavar": "X"}
            if field.type is bool:
                kind = {"action": argparse.BooleanOptionalAction}
            about = f"{meta['label']}. {described(field)}".replace("%", "%%")
            command.add_argument(option(name), help=about, default=argparse.SUPPRESS, **kind)
