"""Finds out what became of a statement in flight: ClickHouse."""
