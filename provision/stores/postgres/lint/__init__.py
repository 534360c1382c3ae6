"""Lint of PostgreSQL: what its files say, parsed."""
