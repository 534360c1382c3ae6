"""Rows that every check accepts, for the tests of all stores."""
