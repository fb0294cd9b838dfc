"""The run folder: what each file holds, how it is written and read, and whether it is whole."""
