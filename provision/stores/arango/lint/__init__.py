"""Lint of ArangoDB: what its files say, parsed."""
