"""Roles vfr_owner, vfr_app and vfr_report with what each may do"""

from alembic import op

revision = "0041"
down_revision = "0040"

# A function, so that it can be called again: when an administrator has made the roles, or tables came by another hand.
# Rules and no list: of a table with row security the application may not write what names a row or its tenant (id,
# tenant_id), so that nobody can take an id of another tenant or ask whether it is there. Decisions are kept for good.
# What this role may not do is returned as the statement for who may; nothing of the rest is left undone for it.
FUNCTION = r"""
CREATE FUNCTION apply_role_grants() RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
    home CONSTANT text := quote_ident(current_schema());
    wanted text;
    object record;
BEGIN
    FOREACH wanted IN ARRAY '{vfr_owner,vfr_app,vfr_report}'::text[] LOOP
        BEGIN
            IF to_regrole(wanted) IS NULL THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
        EXCEPTION
            WHEN insufficient_privilege THEN RETURN NEXT format('CREATE ROLE %I NOLOGIN;', wanted);
            WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this server has just made it
        END;
    END LOOP;
    IF to_regrole('vfr_owner') IS NOT NULL THEN
        BEGIN
            IF NOT (SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = 'vfr_owner') THEN
                ALTER ROLE vfr_owner BYPASSRLS;
            END IF;
        EXCEPTION WHEN insufficient_privilege THEN RETURN NEXT 'ALTER ROLE vfr_owner BYPASSRLS;';
        END;
        BEGIN
            IF NOT pg_has_role('vfr_owner', 'MEMBER') THEN
                EXECUTE format('GRANT vfr_owner TO %I', current_user);
            END IF;
        EXCEPTION WHEN insufficient_privilege THEN RETURN NEXT format('GRANT vfr_owner TO %I;', current_user);
        END;
        EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %s TO vfr_owner', home);
        EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA %s TO vfr_owner', home);
        EXECUTE format('GRANT ALL ON ALL SEQUENCES IN SCHEMA %s TO vfr_owner', home);
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %s GRANT ALL ON TABLES TO vfr_owner', home);
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %s GRANT ALL ON SEQUENCES TO vfr_owner', home);
    END IF;
    EXECUTE format('REVOKE CREATE ON SCHEMA %s FROM PUBLIC', home);
    FOREACH wanted IN ARRAY '{vfr_app,vfr_report}'::text[] LOOP
        CONTINUE WHEN to_regrole(wanted) IS NULL;
        EXECUTE format('GRANT USAGE ON SCHEMA %s TO %I', home, wanted);
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %s GRANT SELECT ON TABLES TO %I', home, wanted);
        IF wanted = 'vfr_app' THEN
            EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %s'
                ' GRANT INSERT, UPDATE, DELETE ON TABLES TO vfr_app', home);
            EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %s GRANT USAGE ON SEQUENCES TO vfr_app', home);
        END IF;
        FOR object IN
            SELECT c.oid::regclass AS name, relkind IN ('r', 'p') AS is_table, relrowsecurity AS secured,
                (SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0
                    AND NOT attisdropped AND attname <> 'id') AS given,
                (SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0
                    AND NOT attisdropped AND attname NOT IN ('id', 'tenant_id')) AS changed
            FROM pg_class c
            WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
              AND pg_has_role(relowner, 'USAGE') AND relname NOT IN ('alembic_version', 'tenant_roles')
              AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e')
        LOOP
            EXECUTE format('GRANT SELECT ON %s TO %I', object.name, wanted);
            CONTINUE WHEN wanted <> 'vfr_app' OR NOT object.is_table OR object.name = to_regclass('tenants');
            IF object.secured THEN
                EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %s FROM vfr_app', object.name);
                EXECUTE format('GRANT INSERT (%s), UPDATE (%s) ON %s TO vfr_app',
                    object.given, object.changed, object.name);
                CONTINUE WHEN object.name = to_regclass('trading_decisions');
                EXECUTE format('GRANT DELETE ON %s TO vfr_app', object.name);
            ELSE
                EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %s TO vfr_app', object.name);
            END IF;
        END LOOP;
    END LOOP;
END
$$
"""

BIND = """
DO $$ DECLARE
    undone text;
BEGIN
    EXECUTE format('ALTER FUNCTION apply_role_grants() SET search_path = %I, pg_temp', current_schema());
    FOR undone IN SELECT * FROM apply_role_grants() LOOP
        RAISE WARNING 'this role may not do it, and an administrator may: % Then: SELECT apply_role_grants();', undone;
    END LOOP;
END $$
"""

# The roles themselves belong to the server, whose other databases may use them, and to logins that are members.
TAKE_AWAY = """
DO $$ DECLARE
    home CONSTANT text := quote_ident(current_schema());
    given text;
    sort text;
BEGIN
    FOREACH given IN ARRAY '{vfr_owner,vfr_app,vfr_report}'::text[] LOOP
        CONTINUE WHEN to_regrole(given) IS NULL;
        FOREACH sort IN ARRAY '{TABLES,SEQUENCES}'::text[] LOOP
            EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %s REVOKE ALL ON %s FROM %I', home, sort, given);
            EXECUTE format('REVOKE ALL ON ALL %s IN SCHEMA %s FROM %I', sort, home, given);
        END LOOP;
        EXECUTE format('REVOKE ALL ON SCHEMA %s FROM %I', home, given);
    END LOOP;
END $$
"""

COMMENT = (
    "Makes the roles that are missing; gives each its rights on what is and will be in the schema; returns "
    "the statements that only an administrator may run. Run it again after those, and after another role made a table"
)


def upgrade() -> None:
    op.execute(FUNCTION)
    op.execute(f"COMMENT ON FUNCTION apply_role_grants() IS '{COMMENT}'")
    op.execute(BIND)


def downgrade() -> None:
    op.execute(TAKE_AWAY)
    op.execute("DROP FUNCTION apply_role_grants()")
