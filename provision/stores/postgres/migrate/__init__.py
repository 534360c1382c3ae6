"""Carries out migrations: PostgreSQL."""
