"""Functions that make and drop monthly partitions"""

from alembic import op

revision = "0021"
down_revision = "0020"

# The time zone of the function is UTC, so that bounds are equal whatever session calls it. LIKE and ATTACH rather than
# PARTITION OF: reads and writes of the parent go on. The parent's own indexes come along with ATTACH.
CREATE = """
CREATE FUNCTION create_monthly_partitions(
    parent regclass, months_back integer DEFAULT 3, months_ahead integer DEFAULT 12
) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    home name;
    base name;
    leaf text;
    first timestamptz;
    made integer := 0;
BEGIN
    SELECT nspname, relname INTO home, base
    FROM pg_partitioned_table JOIN pg_class c ON c.oid = partrelid JOIN pg_namespace n ON n.oid = relnamespace
    WHERE partrelid = parent AND partstrat = 'r' AND partnatts = 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% is not partitioned by a range of one column', parent USING ERRCODE = 'wrong_object_type';
    END IF;
    IF (months_back >= 0 AND months_ahead >= 0) IS NOT TRUE THEN
        RAISE EXCEPTION 'months must be 0 or more' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', parent);
    FOR i IN -months_back..months_ahead LOOP
        first := date_trunc('month', now()) + make_interval(months => i);
        leaf := base || to_char(first, '"_p"YYYY_MM');
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = parent AND relname::text = leaf
        );
        EXECUTE format(
            'CREATE TABLE %I.%I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)',
            home, leaf, parent
        );
        EXECUTE format(
            'ALTER TABLE %s ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)',
            parent, home, leaf, first, first + interval '1 month'
        );
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$
"""

# A partition without an upper bound, or the default one, yields no match and so is kept.
DROP = r"""
CREATE FUNCTION drop_old_partitions(parent regclass, retain interval) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    leaf regclass;
    dropped integer := 0;
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_partitioned_table WHERE partrelid = parent AND partstrat = 'r' AND partnatts = 1
    ) THEN
        RAISE EXCEPTION '% is not partitioned by a range of one column', parent USING ERRCODE = 'wrong_object_type';
    END IF;
    IF (retain >= interval '0') IS NOT TRUE THEN
        RAISE EXCEPTION 'retain must be 0 or more' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR leaf IN
        SELECT inhrelid::regclass FROM pg_inherits JOIN pg_class ON oid = inhrelid
        WHERE inhparent = parent
          AND substring(pg_get_expr(relpartbound, oid) FROM $bound$ TO \('([^']+)'\)$bound$)::timestamptz
              <= now() - retain
        ORDER BY relname
    LOOP
        EXECUTE format('DROP TABLE %s', leaf);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$
"""

COMMENTS = {
    "create_monthly_partitions(regclass, integer, integer)": (
        "Makes the partitions <table>_pYYYY_MM that are missing from months_back before the current month to "
        "months_ahead after it, bounds at midnight UTC, and returns how many it made; reads and writes go on; "
        "D1 Database Performance Optimization, PostgreSQL Optimization Strategies"
    ),
    "drop_old_partitions(regclass, interval)": (
        "Drops partitions that ended longer ago than retain, with their rows, and returns how many; the default "
        "partition is kept; locks the table; D1 Database Performance Optimization, Database Monitoring and Maintenance"
    ),
}


def upgrade() -> None:
    op.execute(CREATE)
    op.execute(DROP)
    for function, meaning in COMMENTS.items():
        op.execute(f"COMMENT ON FUNCTION {function} IS '{meaning}'")


def downgrade() -> None:
    op.execute("DROP FUNCTION drop_old_partitions(regclass, interval)")
    op.execute("DROP FUNCTION create_monthly_partitions(regclass, integer, integer)")
