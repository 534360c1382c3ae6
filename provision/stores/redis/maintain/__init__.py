"""Jobs of maintenance on Redis: what caches and streams hold is kept short; what became of jobs."""
