"""Data checks: ClickHouse."""
