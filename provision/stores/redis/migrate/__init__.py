"""Carries out migrations: Redis."""
