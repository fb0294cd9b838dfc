"""The map of a run's test images, in a browser."""
