"""Data checks: PostgreSQL."""
