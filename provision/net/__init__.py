"""Requests over HTTP and TLS, alike for every kind of store."""
