"""A part of AQL, really evaluated. What it does not know it refuses by name (501), and never guesses."""
