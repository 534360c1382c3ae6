"""The rules of Redis: one a file, each with its page in docs/lint/."""
