"""Tests of what other projects use in theirs."""
