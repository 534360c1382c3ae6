"""Lint without any database: runs rules over parsed scripts, applies levels and suppressions."""
