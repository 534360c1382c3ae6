"""The rules of ClickHouse: one a file, each with its page in docs/lint/."""
