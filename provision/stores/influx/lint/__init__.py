"""Lint of InfluxDB: what its files say, parsed."""
