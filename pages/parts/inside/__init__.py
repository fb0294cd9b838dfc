"""The Inside page: the image that is looked at, what each layer makes of it, and where the networks look."""
