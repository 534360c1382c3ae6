"""Reads statements: ClickHouse."""
