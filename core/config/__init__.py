"""What a run is told to do: every hyperparameter, and the recipes that set them."""
