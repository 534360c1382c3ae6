"""Data checks: Weaviate."""
