"""Functions that mark checks as not proved and prove them"""

from alembic import op

revision = "0047"
down_revision = "0046"

CHECKS = """
    SELECT conrelid::regclass AS home, conname, pg_get_constraintdef(oid) AS defined FROM pg_constraint
    WHERE contype = 'c' AND convalidated = {proved} AND coninhcount = 0 AND conrelid = ANY (tables) AND EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey) AND attname = ANY (columns))
    ORDER BY 1, 2
"""

# It is replaced, and no moment passes without it: PostgreSQL has no other way to mark a check as not proved.
UNPROVE_CHECKS = """
CREATE FUNCTION unprove_checks(tables regclass[], columns text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    each record;
BEGIN
    FOR each IN {checks} LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I %s NOT VALID',
            each.home, each.conname, each.conname, each.defined);
    END LOOP;
END
$$
"""

# Beside readers and writers. What an old row breaks stays unproved: it holds for every row that is written,
# `provision doctor` names it, and once the row is put right, `ALTER TABLE … VALIDATE CONSTRAINT …` proves it.
PROVE_CHECKS = """
CREATE FUNCTION prove_checks(tables regclass[], columns text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    each record;
BEGIN
    FOR each IN {checks} LOOP
        BEGIN
            EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', each.home, each.conname);
        EXCEPTION WHEN check_violation THEN
            RAISE WARNING '% of % is broken by a row from before', each.conname, each.home;
        END;
    END LOOP;
END
$$
"""

COMMENTS = {
    "unprove_checks(regclass[], text[])": "Marks the checks of columns of these names in these tables as not proved",
    "prove_checks(regclass[], text[])": "Proves the checks of columns of these names in these tables, and warns of "
    "those that a row breaks",
}


def upgrade() -> None:
    for function, proved in ((UNPROVE_CHECKS, "true"), (PROVE_CHECKS, "false")):
        op.execute(function.replace("{checks}", CHECKS.strip().replace("{proved}", proved)))
    for name, meaning in COMMENTS.items():
        op.execute(f"COMMENT ON FUNCTION {name} IS '{meaning}'")


def downgrade() -> None:
    for name in COMMENTS:
        op.execute(f"DROP FUNCTION {name}")
