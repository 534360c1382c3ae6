"""Tables that functions compute are written by them alone"""

from alembic import op

revision = "0065"
down_revision = "0059"

# The owner's default privileges let the application write every later table, and apply_role_grants() every table of
# the schema: rows of mv_… belong to the function that computes them. It runs as its owner, with a search_path of its
# own, so that who may not write the tables can still have them computed anew.
KEPT = """
            IF object.is_table AND (SELECT relname ^@ 'mv_' FROM pg_class WHERE oid = object.name) THEN
                EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON %s FROM %I', object.name, wanted);
                CONTINUE;
            END IF;
"""
BEFORE = """
            CONTINUE WHEN wanted <> 'vfr_app' OR NOT object.is_table OR object.name = to_regclass('tenants');
"""
# The function is as 0041 made it, but for these lines.
CHANGE = """
DO $do$ DECLARE
    had CONSTANT text := pg_get_functiondef('apply_role_grants()'::regprocedure);
BEGIN
    IF strpos(had, $old${old}$old$) = 0 THEN
        RAISE EXCEPTION 'apply_role_grants() is not as its revision made it: it was changed by hand';
    END IF;
    EXECUTE replace(had, $old${old}$old$, $new${new}$new$);
END $do$
"""
REVOKE = """
DO $$ BEGIN
    IF to_regrole('vfr_app') IS NOT NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON mv_daily_features, mv_daily_feature_days FROM vfr_app;
    END IF;
END $$
"""
GRANT = """
DO $$ BEGIN
    IF to_regrole('vfr_app') IS NOT NULL THEN
        GRANT INSERT, UPDATE, DELETE ON mv_daily_feature_days TO vfr_app;
    END IF;
END $$
"""


def upgrade() -> None:
    op.execute(CHANGE.format(old=BEFORE, new=KEPT + BEFORE.lstrip("\n")))
    op.execute(REVOKE)
    op.execute("ALTER FUNCTION refresh_daily_features() SECURITY DEFINER")


def downgrade() -> None:
    op.execute("ALTER FUNCTION refresh_daily_features() SECURITY INVOKER")
    op.execute(CHANGE.format(old=KEPT + BEFORE.lstrip("\n"), new=BEFORE))
    op.execute(GRANT)
