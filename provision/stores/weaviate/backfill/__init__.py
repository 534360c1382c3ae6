"""Backfills: Weaviate."""
