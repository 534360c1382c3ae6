"""The names that are provision's own on a server."""

OWN = "provision_"
"""Begins its databases; no file may name one that begins so."""
