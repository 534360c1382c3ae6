"""Data checks: InfluxDB."""
