"""Backfills: InfluxDB."""
