"""Tests of the contract doubles: what they answer, what they refuse, and how near they are to recorded exchanges."""
