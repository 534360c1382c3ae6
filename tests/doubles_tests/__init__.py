"""Tests of the contract double: what it answers, what it refuses, and how near it is to recorded exchanges."""
