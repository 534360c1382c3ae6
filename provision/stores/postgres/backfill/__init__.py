"""Backfills: PostgreSQL."""
