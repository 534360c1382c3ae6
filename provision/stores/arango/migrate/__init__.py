"""Carries out migrations: ArangoDB."""
