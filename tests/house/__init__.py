"""The size of the source, its names and its import circles: measured from the syntax alone, and held to bounds."""
