"""Texts, files and values, alike for every kind of store."""
