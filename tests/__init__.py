"""The tests; a package, so that one called `tests` in somebody's environment is not taken for it."""
