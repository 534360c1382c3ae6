"""Data checks: Redis."""
