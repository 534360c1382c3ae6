"""Copies the objects of one collection into another: Weaviate."""
