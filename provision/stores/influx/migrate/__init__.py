"""Carries out migrations: InfluxDB."""
