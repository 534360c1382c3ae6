"""Published histories of migrations, linted; what a real PostgreSQL says while it runs them judges the findings."""
