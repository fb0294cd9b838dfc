"""One training run, from a RunConfig to a full run folder."""
