"""Brings kinds of store, settings and flows together: what the library and the command line have in common."""
