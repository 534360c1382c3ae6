"""A part of Flux, really evaluated. What it does not know it refuses by name, and never guesses."""
