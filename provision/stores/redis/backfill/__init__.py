"""Backfills: Redis."""
