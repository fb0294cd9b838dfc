"""The Draw page: the pad, pictures laid on it, and what the networks read."""
