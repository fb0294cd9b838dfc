"""Charts: curves that grow, curves over one another, and what is taken for what."""
