"""Functions that take down what stands on columns and put it back"""

from alembic import op

revision = "0048"
down_revision = "0047"

# Views, functions and triggers that stand on a column keep its type from being changed: ours, and those of others. Each
# is dropped and made again as it was, with options, indexes, owner, rights, comments and, where it had them, rows; but
# for views that a later revision fills, so that writers need not wait for it. For a check that is proved, a change of
# type reads every row; so the checks of these columns are marked as not proved, and proved beside writers later.
TAKE_DOWN = r"""
CREATE FUNCTION take_down(tables regclass[], columns text[], filled_later text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    each record;
    sort text;
BEGIN
    PERFORM unprove_checks(tables, columns);
    CREATE TEMPORARY TABLE rebuilt (n bigint GENERATED ALWAYS AS IDENTITY, statement text NOT NULL) ON COMMIT DROP;
    CREATE TEMPORARY TABLE standing ON COMMIT DROP AS
    WITH RECURSIVE changed AS (
        SELECT attrelid, attnum FROM pg_attribute WHERE attrelid = ANY (tables) AND attname = ANY (columns)
    ), stands (kind, object, depth) AS (
        SELECT CASE classid WHEN 'pg_rewrite'::regclass THEN 'pg_class'::regclass ELSE classid::regclass END,
            coalesce(ev_class, objid), 1
        FROM changed JOIN pg_depend
            ON refclassid = 'pg_class'::regclass AND refobjid = attrelid AND refobjsubid = attnum
        LEFT JOIN pg_rewrite r ON classid = 'pg_rewrite'::regclass AND r.oid = objid
        WHERE classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_trigger'::regclass)
        UNION
        SELECT CASE classid WHEN 'pg_rewrite'::regclass THEN 'pg_class'::regclass ELSE classid::regclass END,
            coalesce(ev_class, objid), depth + 1
        FROM stands JOIN pg_depend ON refclassid = kind AND refobjid = object AND deptype = 'n'
        LEFT JOIN pg_rewrite r ON classid = 'pg_rewrite'::regclass AND r.oid = objid
        WHERE classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_trigger'::regclass)
          AND coalesce(ev_class, objid) <> object
    )
    SELECT kind, object, max(depth) AS depth,
        CASE kind WHEN 'pg_class'::regclass THEN (SELECT format('%I.%I', relnamespace::regnamespace, relname)
                FROM pg_class WHERE oid = object)
            WHEN 'pg_proc'::regclass THEN object::regprocedure::text
            ELSE (SELECT format('%I ON %s', tgname, tgrelid::regclass) FROM pg_trigger WHERE oid = object) END AS name,
        CASE kind WHEN 'pg_class'::regclass THEN (SELECT CASE relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END
                FROM pg_class WHERE oid = object)
            WHEN 'pg_proc'::regclass THEN 'ROUTINE' ELSE 'TRIGGER' END AS word
    FROM stands WHERE kind <> 'pg_trigger'::regclass
        OR EXISTS (SELECT FROM pg_trigger WHERE oid = object AND NOT tgisinternal AND tgparentid = 0)
    GROUP BY kind, object;

    FOR each IN SELECT * FROM standing ORDER BY depth, name LOOP
        INSERT INTO rebuilt (statement) SELECT CASE each.word
            WHEN 'ROUTINE' THEN pg_get_functiondef(each.object)
            WHEN 'TRIGGER' THEN pg_get_triggerdef(each.object)
            ELSE (SELECT format('CREATE %s %s%s AS %s%s', each.word, each.name,
                    ' WITH (' || array_to_string(reloptions, ', ') || ')', rtrim(pg_get_viewdef(oid), ';'),
                    CASE WHEN NOT relispopulated OR relname = ANY (filled_later) THEN ' WITH NO DATA' END)
                FROM pg_class WHERE oid = each.object) END;
        INSERT INTO rebuilt (statement)
        SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = each.object AND each.word LIKE '%VIEW';
        INSERT INTO rebuilt (statement)
        SELECT format('ALTER TABLE %s %s TRIGGER %I', tgrelid::regclass, CASE tgenabled WHEN 'D' THEN 'DISABLE'
            WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, tgname)
        FROM pg_trigger WHERE oid = each.object AND each.word = 'TRIGGER' AND tgenabled <> 'O';
        INSERT INTO rebuilt (statement)
        SELECT CASE WHEN objsubid = 0 THEN format('COMMENT ON %s %s IS %L', each.word, each.name, description)
            ELSE format('COMMENT ON COLUMN %s.%I IS %L', each.name, attname, description) END
        FROM pg_description LEFT JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid AND attnum > 0
        WHERE classoid = each.kind AND objoid = each.object;
        INSERT INTO rebuilt (statement)
        SELECT format('COMMENT ON INDEX %s IS %L', indexrelid::regclass, description)
        FROM pg_index JOIN pg_description ON classoid = 'pg_class'::regclass AND objoid = indexrelid AND objsubid = 0
        WHERE indrelid = each.object AND each.word LIKE '%VIEW';
        -- What new objects are given by default is taken away first: the rights are those that were.
        sort := CASE each.word WHEN 'ROUTINE' THEN 'ROUTINE' ELSE 'TABLE' END;
        INSERT INTO rebuilt (statement)
        SELECT format('REVOKE ALL ON %s %s FROM %s', sort, each.name, who)
        FROM (
            SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS who
            FROM pg_default_acl, aclexplode(defaclacl)
            WHERE defaclobjtype = CASE sort WHEN 'TABLE' THEN 'r' ELSE 'f' END
            UNION SELECT 'PUBLIC' FROM pg_proc WHERE oid = each.object AND each.word = 'ROUTINE' AND proacl IS NOT NULL
        ) given WHERE each.word <> 'TRIGGER';
        INSERT INTO rebuilt (statement)
        SELECT format('GRANT %s%s ON %s %s TO %s%s', privilege_type, ' (' || quote_ident(attname) || ')', sort,
            each.name, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
            CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)
        FROM (
            SELECT NULL AS attname, relowner AS owner, given.* FROM pg_class, aclexplode(relacl) given
            WHERE oid = each.object AND each.word LIKE '%VIEW'
            UNION ALL
            SELECT attname, 0, given.* FROM pg_attribute, aclexplode(attacl) given
            WHERE attrelid = each.object AND each.word LIKE '%VIEW'
            UNION ALL
            SELECT NULL, proowner, given.* FROM pg_proc, aclexplode(proacl) given
            WHERE oid = each.object AND each.word = 'ROUTINE'
        ) given WHERE grantee <> owner;
        INSERT INTO rebuilt (statement)
        SELECT format('ALTER %s %s OWNER TO %I', each.word, each.name, rolname)
        FROM pg_roles WHERE rolname <> current_user AND oid = coalesce(
            (SELECT relowner FROM pg_class WHERE pg_class.oid = each.object AND each.word LIKE '%VIEW'),
            (SELECT proowner FROM pg_proc WHERE pg_proc.oid = each.object AND each.word = 'ROUTINE'));
    END LOOP;
    FOR each IN SELECT * FROM standing ORDER BY depth DESC, name DESC LOOP
        EXECUTE format('DROP %s %s', each.word, each.name);
    END LOOP;
    DROP TABLE standing;
END
$$
"""

PUT_BACK = """
CREATE FUNCTION put_back() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    part text;
BEGIN
    FOR part IN SELECT statement FROM rebuilt ORDER BY n LOOP
        EXECUTE part;
    END LOOP;
    DROP TABLE rebuilt;
END
$$
"""

COMMENTS = {
    "take_down(regclass[], text[], text[])": "Drops the views, functions and triggers that stand on columns of these "
    "names in these tables, remembers them until put_back() or the end of the transaction, and unproves the checks",
    "put_back()": "Makes again what take_down() dropped, with options, indexes, owner, rights, comments and, but for "
    "views that are filled later, rows",
}


def upgrade() -> None:
    for function in (TAKE_DOWN, PUT_BACK):
        op.execute(function)
    for name, meaning in COMMENTS.items():
        op.execute(f"COMMENT ON FUNCTION {name} IS '{meaning}'")


def downgrade() -> None:
    for name in reversed(COMMENTS):
        op.execute(f"DROP FUNCTION {name}")
