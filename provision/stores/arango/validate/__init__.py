"""Data checks: ArangoDB."""
