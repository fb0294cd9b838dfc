"""Contenders as processes that stay: each builds its network once, then takes as many training steps as it is told to.

Needs the standard library only, because a contender may run in an environment without the project's packages.
"""

import json
import subprocess
import sys
import tempfile
import time


def take_turns(step, parameters):
    """A contender's side: says how many parameters it trains, then for each line on stdin takes so many steps and
    answers with the seconds they took.
    """
    print(json.dumps(parameters), flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        for _ in range(int(line)):
            step()
        print(json.dumps(time.perf_counter() - started), flush=True)


class Contender:
    """A process whose program ends in `take_turns`; `parameters` is what it said. A context manager."""

    def __init__(self, command, environment):
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- closed with the process
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True
        )
        self.parameters = self._answer()

    def seconds(self, steps):
        """Takes the steps; returns how long they took. Raises RuntimeError if the process ended."""
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise RuntimeError(f"{' '.join(self.process.args)} ended:\n{self.errors.read()[-2000:]}")
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()
