"""What `init`, `new`, `import`, `schema` and `doctor` ask: PostgreSQL."""
