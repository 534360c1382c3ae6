"""Backfills: ClickHouse."""
