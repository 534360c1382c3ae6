"""The rules of PostgreSQL: one a file, each with its page in docs/lint/."""
