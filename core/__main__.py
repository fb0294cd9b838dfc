"""The lab without a browser: python -m core COMMAND."""

import sys

from core import settings
from core.cli.parser import parser
from core.config.run_config import ConfigError
from core.datasets.loading import DatasetUnavailable
from core.environment import reexec_with, worker_environment
from core.networks.catalogue import deepest
from core.runs.run import RunError, UnknownRunError
from core.settings import SettingError


def main(arguments=None):
    """Runs one command. Exits with 2 and one sentence on bad input, with 1 where a training failed."""
    options = vars(parser().parse_args(arguments))
    try:
        settings.check()
        return options.pop("run")(**options)
    except UnknownRunError as error:
        print(f"{error} To see what runs there are: python -m core runs", file=sys.stderr)
        return 2
    except (ConfigError, RunError, DatasetUnavailable, SettingError) as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    reexec_with(worker_environment(), deepest(sys.argv))
    sys.exit(main())
