"""The windows of ClickHouse tables: partitions, which the server makes with the rows."""
