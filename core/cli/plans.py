"""Plans: text files with one run a line, each what follows `train` on the command line."""

import shlex

from core.config.recipes import make_config
from core.config.run_config import FIELDS, ConfigError


def read_plan(path):
    """The RunConfigs of a plan. What comes after # in a line is left out, and so are empty lines.

    Raises:
        core.config.run_config.ConfigError: it cannot be read, is empty, names a run twice, or a line of it is wrong;
            the sentence begins with the file and the line.
    """
    from core.cli import parser  # here, because the parser in turn knows the commands that read plans

    class Line(parser.Parser):
        """A parser that neither prints nor exits."""

        def error(self, message):
            raise ConfigError(f"{message[0].upper()}{message[1:].rstrip('.')}.")

        def exit(self, status=0, message=None):
            raise ConfigError("That is not a run.")

        def print_help(self, file=None):
            pass

    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}.") from None
    lines, line_parser = {}, parser.parser(Line)
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            words = shlex.split(line, comments=True)
            if not words:
                continue
            config = _config(vars(line_parser.parse_args(["train", *words])))
            if config in lines:
                raise ConfigError(f"That is the run of line {lines[config]} again; give it another seed.")
        except ValueError as error:
            raise ConfigError(f"{path}, line {number}: {str(error).rstrip('.')}.") from None
        lines[config] = number
    if not lines:
        raise ConfigError(f"{path} names no run; a line of it is, for example: alexnet mnist --recipe quick.")
    return list(lines)


def _config(options):
    """The RunConfig of what `train` was given, which may be nothing but that."""
    del options["run"]
    network, dataset, recipe = (options.pop(name) for name in ("network", "dataset", "recipe"))
    if not (network and dataset):
        raise ConfigError("Name a network and a dataset, as in: alexnet mnist.")
    settings = {name: value for name, value in options.items() if name in FIELDS}
    if any(value for name, value in options.items() if name not in settings):
        raise ConfigError("Name a network, a dataset, a recipe and settings, and nothing else.")
    return make_config(network, dataset, recipe, **settings)
