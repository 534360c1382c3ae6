"""The rules of InfluxDB: one a file, each with its page in docs/lint/."""
