"""Lint of Weaviate: what its files say, parsed."""
