"""Carries out migrations: ClickHouse."""
