"""Lint of ClickHouse: what its files say, parsed."""
