"""Windows of partitioned tables."""
