"""The login of one tenant against the rows of another: nothing is read, changed, or held back from being changed.

The attacker knows every id. What it did is left open in its transaction, while the other tenant changes all its rows.
"""

import re
from collections.abc import Iterator

import psycopg
import pytest

from .rows import ACME_USER, GLOBEX_USER, MODEL
from .servers import Server
from .tenants import DECISION, GLOBEX_MODEL, SHARED, TABLES, TEMPLATE, TRAINING, Tenants, populated

NAMES = {
    "a_user": ACME_USER,
    "b_user": GLOBEX_USER,
    "a_model": MODEL,
    "b_model": GLOBEX_MODEL,
    "shared": SHARED,
    "decision": DECISION,
    "template": TEMPLATE,
    "training": TRAINING,
}
DENIED = "42501"
HISTORY = "INSERT INTO model_training_history (model_id, training_session_id, started_at, status, tenant_id)"
NEW_MODEL = "INSERT INTO probabilistic_models ({}model_name, model_type, version, parameters, tenant_id) VALUES"

# (what is tried, the answer): a SQLSTATE, or the rows that come back or are changed
ATTACKS: dict[str, tuple[str, str | int]] = {
    # Reading
    "read decisions": ("SELECT * FROM trading_decisions WHERE tenant_id = 'acme'", 0),
    "read by id": ("SELECT * FROM trading_decisions WHERE id = '{decision}'", 0),
    "read users": ("SELECT * FROM users WHERE email LIKE '%acme%'", 0),
    "read preferences": ("SELECT * FROM user_probability_preferences WHERE user_id = '{a_user}'", 0),
    "read a private model": ("SELECT * FROM probabilistic_models WHERE id = '{a_model}'", 0),
    "read the list of tenants": ("SELECT * FROM tenants WHERE slug <> 'globex'", 0),
    "read who is which tenant": ("SELECT * FROM tenant_roles", DENIED),
    "read as another tenant": (
        "SET LOCAL app.tenant = 'acme'; SELECT * FROM trading_decisions WHERE symbol = 'SECRET'",
        0,
    ),
    "read as another tenant by set_config": (
        "SELECT set_config('app.tenant', 'acme', false); SELECT * FROM users WHERE tenant_id = 'acme'",
        0,
    ),
    "read as vfr_app": (
        "SET ROLE vfr_app; SET app.tenant = 'acme'; SELECT * FROM trading_decisions WHERE symbol = 'SECRET'",
        0,
    ),
    "take the owner's role": ("SET ROLE vfr_owner", DENIED),
    "take the reporting role": ("SET ROLE vfr_report", DENIED),
    "take the other login": ("SET SESSION AUTHORIZATION acme_app", DENIED),
    "bind itself to the other tenant": ("UPDATE tenant_roles SET tenant_id = 'acme'", DENIED),
    "give itself the right": ("GRANT ALL ON trading_decisions TO globex_app", 0),
    "turn row security off": ("SET row_security = off; SELECT * FROM trading_decisions", DENIED),
    "switch it off on the table": ("ALTER TABLE trading_decisions DISABLE ROW LEVEL SECURITY", DENIED),
    "drop a policy": ("DROP POLICY tenant_owns ON users", DENIED),
    "add a policy": ("CREATE POLICY mine ON users USING (true)", DENIED),
    "copy out": ("COPY (SELECT * FROM trading_decisions WHERE symbol = 'SECRET') TO STDOUT", 0),
    "copy the table out": ("COPY trading_decisions TO STDOUT", 1),
    "copy into a file": ("COPY trading_decisions TO '/tmp/stolen'", DENIED),
    "copy through a program": ("COPY trading_decisions TO PROGRAM 'cat'", DENIED),
    "copy in": ("COPY users (tenant_id, email) FROM STDIN", "0A000"),
    "copy in from a file": ("COPY users (tenant_id, email) FROM '/etc/passwd'", DENIED),
    "count in a subquery": ("SELECT 1 WHERE (SELECT count(*) FROM trading_decisions) > 1", 0),
    "join the shared with the private": (
        "SELECT h.* FROM probabilistic_models m JOIN model_training_history h ON h.model_id = m.id"
        " WHERE m.tenant_id = 'acme'",
        0,
    ),
    "look with a function that tells": (
        "CREATE FUNCTION pg_temp.told(t text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS"
        " $$ BEGIN RAISE NOTICE '%', t; RETURN true; END $$;"
        " SELECT * FROM trading_decisions WHERE pg_temp.told(symbol) AND symbol = 'SECRET'",
        0,
    ),
    "divide by zero where the secret is": (
        "SELECT 1 / (symbol <> 'SECRET')::int FROM trading_decisions WHERE false OR symbol = 'SECRET'",
        0,
    ),
    "read the statistics": ("SELECT * FROM pg_stats WHERE tablename = 'trading_decisions' AND attname = 'symbol'", 0),
    "read the raw statistics": ("SELECT * FROM pg_statistic", DENIED),
    "use the validation function": (
        "SELECT * FROM validate_probability_data() WHERE validation_issue LIKE 'trading_decisions without confidence%'"
        " AND affected_records > 1",
        0,
    ),
    "a view of its own": (
        "CREATE TEMP VIEW v AS SELECT * FROM trading_decisions; SELECT * FROM v WHERE symbol = 'SECRET'",
        0,
    ),
    "a function of its own as definer": (
        "CREATE FUNCTION pg_temp.f() RETURNS SETOF trading_decisions LANGUAGE sql SECURITY DEFINER AS"
        " 'SELECT * FROM public.trading_decisions'; SELECT * FROM pg_temp.f() WHERE symbol = 'SECRET'",
        0,
    ),
    "put a function in the place of current_tenant": (
        "CREATE FUNCTION pg_temp.current_tenant() RETURNS text LANGUAGE sql AS $$ SELECT 'acme' $$;"
        " SET search_path = pg_temp, public; SELECT * FROM trading_decisions WHERE symbol = 'SECRET'",
        0,
    ),
    "put a table in the place of tenant_roles": (
        "CREATE TEMP TABLE tenant_roles AS SELECT 'globex_app'::name AS role_name, 'acme' AS tenant_id;"
        " SET search_path = pg_temp, public; SELECT * FROM trading_decisions WHERE symbol = 'SECRET'",
        0,
    ),
    "make a function in the schema": ("CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", DENIED),
    "make a table in the schema": ("CREATE TABLE public.mine (n int)", DENIED),
    "use the owner's grants": ("SELECT apply_role_grants()", DENIED),
    # Writing
    "write a decision of the other": (
        "INSERT INTO trading_decisions (tenant_id, user_id, symbol, decision) VALUES ('acme', '{a_user}', 'X', 'BUY')",
        DENIED,
    ),
    "write its own for the other's user": (
        "INSERT INTO trading_decisions (tenant_id, user_id, symbol, decision)"
        " VALUES ('globex', '{a_user}', 'X', 'BUY')",
        DENIED,
    ),
    "change decisions": ("UPDATE trading_decisions SET symbol = 'X' WHERE id = '{decision}'", 0),
    "delete decisions": ("DELETE FROM trading_decisions WHERE id = '{decision}'", DENIED),
    "delete users": ("DELETE FROM users WHERE id = '{a_user}'", 0),
    "change the shared model": ("UPDATE probabilistic_models SET accuracy = 1 WHERE id = '{shared}'", 0),
    "delete the shared model": ("DELETE FROM probabilistic_models WHERE id = '{shared}'", 0),
    "change the public template": ("UPDATE probability_config_templates SET name = 'x' WHERE id = '{template}'", 0),
    "take over by tenant": ("UPDATE users SET tenant_id = 'acme'", DENIED),
    "take over by id": ("UPDATE users SET id = '{a_user}'", DENIED),
    "rename the tenant": ("UPDATE tenants SET name = 'x' WHERE slug = 'acme'", DENIED),
    "make a tenant": ("INSERT INTO tenants (slug, name) VALUES ('evil', 'Evil')", DENIED),
    "delete the tenant": ("DELETE FROM tenants WHERE slug = 'acme'", DENIED),
    "merge into decisions": (
        "MERGE INTO trading_decisions d USING (SELECT '{decision}'::uuid AS id) s ON d.id = s.id"
        " WHEN MATCHED THEN UPDATE SET symbol = 'X'",
        0,
    ),
    "write with a row that returns": (
        "WITH gone AS (UPDATE users SET email = 'x@x' WHERE tenant_id = 'acme' RETURNING *) SELECT * FROM gone",
        0,
    ),
    "empty the table": ("TRUNCATE trading_decisions", DENIED),
    "empty all of them": ("TRUNCATE users CASCADE", DENIED),
    "a trigger on the table": (
        "CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION update_probability_timestamp()",
        DENIED,
    ),
    "a rule on the table": ("CREATE RULE r AS ON INSERT TO users DO INSTEAD NOTHING", DENIED),
    "the owner's maintenance": ("SELECT drop_old_partitions('ml_predictions', interval '0')", DENIED),
    "a matview is no way to write": ("REFRESH MATERIALIZED VIEW mv_model_performance", DENIED),
    # Asking whether something is there
    "an id as an oracle": (
        "INSERT INTO trading_decisions (id, tenant_id, user_id, symbol, decision)"
        " VALUES ('{decision}', 'globex', '{b_user}', 'X', 'BUY') ON CONFLICT (id) DO NOTHING",
        DENIED,
    ),
    "an id of users as an oracle": (
        "INSERT INTO users (id, tenant_id, email) VALUES ('{a_user}', 'globex', 'x@x') ON CONFLICT DO NOTHING",
        DENIED,
    ),
    "an id of models as an oracle": (
        f"{NEW_MODEL.format('id, ')} ('{{a_model}}', 'm', 'meta', '1', '{{{{}}}}', 'globex') ON CONFLICT DO NOTHING",
        DENIED,
    ),
    "upsert over the other's preferences": (
        "INSERT INTO user_probability_preferences (user_id, tenant_id) VALUES ('{a_user}', 'globex')"
        " ON CONFLICT (user_id) DO UPDATE SET risk_tolerance = 1",
        DENIED,
    ),
    "preferences as an oracle": (
        "INSERT INTO user_probability_preferences (user_id, tenant_id) VALUES ('{a_user}', 'globex')"
        " ON CONFLICT DO NOTHING",
        DENIED,
    ),
    "the name of the other's model is free": (
        f"{NEW_MODEL.format('')} ('base', 'meta', '2', '{{{{}}}}', 'globex')",
        1,
    ),
    "the address of the other's user is free": (
        "INSERT INTO users (tenant_id, email) VALUES ('globex', 'first@acme.example')",
        1,
    ),
    "a table of its own that refers to users": ("CREATE TEMP TABLE t (u uuid REFERENCES users (id))", "42P16"),
    # Holding back
    "a history of the shared model": (
        f"{HISTORY} VALUES ('{{shared}}', '{{b_user}}', now(), 'running', 'globex')",
        DENIED,
    ),
    "a history of a private model": (
        f"{HISTORY} VALUES ('{{a_model}}', '{{b_user}}', now(), 'running', 'globex')",
        DENIED,
    ),
    "a history turned to the shared model": (
        f"{HISTORY} VALUES ('{{b_model}}', '{{b_user}}', now(), 'running', 'globex');"
        " UPDATE model_training_history SET model_id = '{shared}'",
        DENIED,
    ),
    "a template by the other's user": (
        "INSERT INTO probability_config_templates (name, config, tenant_id, created_by)"
        " VALUES ('x', '{{}}', 'globex', '{a_user}')",
        DENIED,
    ),
    "a history that returns nothing and stays": (
        f"WITH w AS ({HISTORY} SELECT id, '{{b_user}}', now(), 'running', 'globex' FROM probabilistic_models"
        " WHERE is_shared RETURNING 1) SELECT count(*) FROM w",
        DENIED,
    ),
    **{
        f"lock the shared model {strength.lower()}": (
            f"SELECT * FROM probabilistic_models WHERE id = '{{shared}}' FOR {strength}",
            0,
        )
        for strength in ("UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE")
    },
    "lock the public template": ("SELECT * FROM probability_config_templates WHERE id = '{template}' FOR UPDATE", 0),
    "lock the user": ("SELECT * FROM users WHERE id = '{a_user}' FOR UPDATE", 0),
    "lock the tenant": ("SELECT * FROM tenants FOR KEY SHARE", DENIED),
    "lock the decisions": ("LOCK TABLE trading_decisions IN SHARE MODE", DENIED),
    "lock the tenants": ("LOCK TABLE tenants IN SHARE MODE", DENIED),
}


@pytest.fixture(scope="module")
def tenants(server: Server) -> Iterator[Tenants]:
    with populated(server, "tenants") as made:
        yield made


def outcome(connection: psycopg.Connection, script: str) -> str | int:
    """The SQLSTATE of the statement that was refused, else the rows of the last one; the transaction stays open."""
    try:
        for statement in re.split(r";(?![^$]*\$\$(?:[^$]|\$(?!\$))*(?:$|;))", script):
            if statement.strip().startswith("COPY"):
                with connection.cursor().copy(statement.encode()) as copy:
                    if " FROM STDIN" not in statement:
                        return len(list(copy))
                    copy.write(b"acme\tx@x\n")
                return 1
            done = connection.execute(statement.encode())
        return done.rowcount if done.rowcount > 0 else 0
    except psycopg.Error as error:
        return error.sqlstate or "no answer"


def change_everything_of_acme(tenants: Tenants) -> None:
    """Raises LockNotAvailable where another session holds a row, ForeignKeyViolation where it names one."""
    with tenants.login("acme_app") as acme:
        changed = {
            "users": "UPDATE users SET email = email",
            "trading_decisions": "UPDATE trading_decisions SET symbol = symbol",
            "probabilistic_models": "UPDATE probabilistic_models SET version = version WHERE tenant_id = 'acme'",
            "user_probability_preferences": "UPDATE user_probability_preferences SET risk_tolerance = 0.5",
            "probability_config_templates": "UPDATE probability_config_templates SET tags = tags",
            "model_training_history": "DELETE FROM model_training_history",
        }
        assert {
            table: acme.execute(update.encode()).rowcount > 0 for table, update in changed.items()
        } == dict.fromkeys(changed, True)
        assert acme.execute("DELETE FROM probabilistic_models WHERE is_shared").rowcount == 1
        assert acme.execute("DELETE FROM probability_config_templates WHERE is_public").rowcount == 1


@pytest.mark.parametrize("name", ATTACKS)
def test_tenant_against_another(tenants: Tenants, name: str) -> None:
    script, expected = ATTACKS[name]
    before = tenants.rows_of_acme()
    with tenants.login("globex_app") as globex:
        found = outcome(globex, script.format(**NAMES))
        assert str(found) == str(expected), script
        change_everything_of_acme(tenants)
    assert tenants.rows_of_acme() == before


# Who else may connect: a login for reports that is bound to globex, and an application that names its tenant itself.
OTHERS = {
    "some_report": "",
    "pooled_app": "SET app.tenant = 'globex'",
}


@pytest.mark.parametrize("login", OTHERS)
def test_no_other_role_does_more_than_the_application_of_one_tenant(tenants: Tenants, login: str) -> None:
    before = tenants.rows_of_acme()
    with tenants.owner() as owner:
        owner.execute("INSERT INTO tenant_roles VALUES ('some_report', 'globex') ON CONFLICT DO NOTHING")
    for name, (script, expected) in ATTACKS.items():
        if login == "pooled_app" and "app.tenant" in script:
            continue  # it is trusted with all tenants, and names one
        with tenants.login(login) as other:
            other.execute(OTHERS[login].encode() or b"SELECT 1")
            found = outcome(other, script.format(**NAMES))
            assert str(found) in (str(expected), DENIED, "0"), (name, found)
        assert tenants.rows_of_acme() == before, name


def test_fixture_holds_rows_of_both_in_every_table(tenants: Tenants) -> None:
    assert all(tenants.rows_of_acme().values())
    with tenants.login("acme_app") as acme:
        for table in TABLES:
            assert acme.execute(f"SELECT FROM {table}".encode()).rowcount > 0
