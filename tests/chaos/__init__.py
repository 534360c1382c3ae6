"""Kills runs and engines at every boundary and at random instants, and looks at what the next `up` makes of it."""
