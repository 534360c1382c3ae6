"""Views of index usage and table sizes"""

from alembic import op

revision = "0036"
down_revision = "0035"

SECTION = "D1 Database Performance Optimization, Database Monitoring and Maintenance"

# 'ml_models'::regclass is bound when the view is made: its schema is that of the tables, whatever the search path.
# A bitmap scan reads entries and fetches none, so that only blocks tell how much of an index is found in memory.
USAGE = """
CREATE VIEW vw_index_usage AS
SELECT
    s.schemaname, s.relname AS tablename, s.indexrelname AS indexname, p.relname AS partition_of,
    s.idx_scan, s.idx_tup_read, s.idx_tup_fetch, io.idx_blks_hit, io.idx_blks_read,
    100.0 * io.idx_blks_hit / nullif(io.idx_blks_hit + io.idx_blks_read, 0) AS hit_rate
FROM pg_stat_user_indexes s
JOIN pg_statio_user_indexes io USING (indexrelid)
JOIN pg_class c ON c.oid = s.relid
LEFT JOIN pg_inherits i ON i.inhrelid = s.indexrelid
LEFT JOIN pg_class p ON p.oid = i.inhparent
WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'ml_models'::regclass)
ORDER BY hit_rate, s.idx_scan
"""

# pg_partition_tree yields no row for a table without partitions.
SIZES = r"""
CREATE VIEW vw_table_sizes AS
SELECT c.relname AS tablename, pg_size_pretty(t.size_bytes) AS size, t.size_bytes
FROM pg_class c CROSS JOIN LATERAL (
    SELECT coalesce(sum(pg_total_relation_size(relid))::bigint, pg_total_relation_size(c.oid)) AS size_bytes
    FROM pg_partition_tree(c.oid)
) t
WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'ml_models'::regclass)
  AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname LIKE 'ml\_%'
ORDER BY t.size_bytes DESC, c.relname
"""

VIEWS = {
    "vw_index_usage": "How often each index is used and how much of it is found in memory; each partition has its own",
    "vw_table_sizes": "Size of each table whose name begins with ml_, partitions included",
}

COLUMNS = {
    "vw_index_usage": {
        "schemaname": "Schema",
        "tablename": "Table, or one partition",
        "indexname": "Index",
        "partition_of": "Index of the partitioned table that it is a part of; NULL: not a part",
        "idx_scan": "Scans since statistics began; 0: not used",
        "idx_tup_read": "Entries read",
        "idx_tup_fetch": "Rows fetched by plain index scans; bitmap scans fetch none",
        "idx_blks_hit": "Blocks found in shared buffers",
        "idx_blks_read": "Blocks read from outside shared buffers",
        "hit_rate": "Blocks found in shared buffers, percent, 0-100; NULL: none asked for",
    },
    "vw_table_sizes": {
        "tablename": "Table",
        "size": "Size for people",
        "size_bytes": "Size with indexes, TOAST and partitions, bytes",
    },
}


def upgrade() -> None:
    op.execute(USAGE)
    op.execute(SIZES)
    for view, columns in COLUMNS.items():
        op.execute(f"COMMENT ON VIEW {view} IS '{VIEWS[view]}; {SECTION}'")
        for column, meaning in columns.items():
            op.execute(f"COMMENT ON COLUMN {view}.{column} IS '{meaning}; {SECTION}'")


def downgrade() -> None:
    op.execute("DROP VIEW vw_table_sizes")
    op.execute("DROP VIEW vw_index_usage")
