"""The rules of ArangoDB: one a file, each with its page in docs/lint/."""
