"""Backfills: ArangoDB."""
