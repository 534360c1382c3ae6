"""Settings of a PostgreSQL server: what suits its machine, what it has, and the way back."""
