"""Lint of Redis: what its files say, parsed."""
