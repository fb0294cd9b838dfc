"""The lab without a browser: datasets, networks, training, runs and what is read from them."""
