"""The names that are provision's own on a server."""

OWN = "provision_"
"""Begins its databases; no document may name one that begins so."""
