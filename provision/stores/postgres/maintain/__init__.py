"""Jobs of maintenance on PostgreSQL: views, statistics, indexes; what became of them; pg_cron."""
