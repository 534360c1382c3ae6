-- description: View of the statements of this database that take longer than 100 ms on average
-- needs: extension pg_stat_statements

-- With the rights of the caller, to whom the server shows its own statements alone.
CREATE OR REPLACE VIEW vw_slow_queries WITH (security_invoker = true) AS
SELECT query, calls, total_exec_time, mean_exec_time, min_exec_time, max_exec_time, stddev_exec_time
FROM pg_stat_statements
WHERE mean_exec_time > 100 AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY mean_exec_time DESC;

COMMENT ON VIEW vw_slow_queries IS
    'Statements slower than 100 ms on average, slowest first; D1 Database Performance Optimization, Database Monitoring and Maintenance';
COMMENT ON COLUMN vw_slow_queries.query IS 'Statement, constants left out';
COMMENT ON COLUMN vw_slow_queries.calls IS 'Runs since statistics began';
COMMENT ON COLUMN vw_slow_queries.total_exec_time IS 'Time of all runs, milliseconds';
COMMENT ON COLUMN vw_slow_queries.mean_exec_time IS 'Mean time of a run, milliseconds, above 100';
COMMENT ON COLUMN vw_slow_queries.min_exec_time IS 'Shortest run, milliseconds';
COMMENT ON COLUMN vw_slow_queries.max_exec_time IS 'Longest run, milliseconds';
COMMENT ON COLUMN vw_slow_queries.stddev_exec_time IS 'Standard deviation over the runs, milliseconds';

-- down:
DROP VIEW IF EXISTS vw_slow_queries;
