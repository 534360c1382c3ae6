"""Jobs of maintain.yaml without any database: read, scheduled, written for timers of others."""
