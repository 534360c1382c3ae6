"""A data set for benches and checks: the same one for the same seed."""
