"""Secrets that are written into statements are hidden, and nothing else is."""

from __future__ import annotations

import pytest

from provision.text.credentials import hidden

# Each holds `hunter2`, and `hunter3` where there are two.
SECRETS = {
    "CREATE ROLE a LOGIN PASSWORD 'hunter2'": "CREATE ROLE a LOGIN PASSWORD '•••'",
    "alter role a encrypted password E'hun\\'hunter2' valid until 'infinity'": (
        "alter role a encrypted password '•••' valid until 'infinity'"
    ),
    "alter role a\n  password\n  'hunter2'": "alter role a\n  password\n  '•••'",
    "alter role a password /* of */ 'hunter2'": "alter role a password /* of */ '•••'",
    "alter role a password $x$hunter2$x$": "alter role a password $x$•••$x$",
    "DO $$ begin execute 'alter role a password ''hunter2'''; end $$": (
        "DO $$ begin execute 'alter role a password ''•••'''; end $$"
    ),
    "-- alter role a password 'hunter2'\nselect 1": "-- alter role a password '•••'\nselect 1",
    "CREATE USER MAPPING FOR u SERVER s OPTIONS (user 'u', password 'hunter2')": (
        "CREATE USER MAPPING FOR u SERVER s OPTIONS (user 'u', password '•••')"
    ),
    "ALTER USER MAPPING FOR u SERVER s OPTIONS (SET \"password\" 'hunter2')": (
        "ALTER USER MAPPING FOR u SERVER s OPTIONS (SET \"password\" '•••')"
    ),
    "CREATE SUBSCRIPTION s CONNECTION 'host=h user=u password=hunter2 dbname=d' PUBLICATION p": (
        "CREATE SUBSCRIPTION s CONNECTION 'host=h user=u password=••• dbname=d' PUBLICATION p"
    ),
    "SELECT * FROM dblink('host=h password=''hunter2'' user=u', 'select 1') t(a int)": (
        "SELECT * FROM dblink('host=h password=''•••'' user=u', 'select 1') t(a int)"
    ),
    "SELECT dblink_connect('c', 'postgresql://u:hunter2@h/d')": "SELECT dblink_connect('c', 'postgresql://u:•••@h/d')",
    "alter system set primary_conninfo = 'user=a password=hunter2'": (
        "alter system set primary_conninfo = 'user=a password=•••'"
    ),
    "CREATE USER u IDENTIFIED BY 'hunter2' HOST ANY": "CREATE USER u IDENTIFIED BY '•••' HOST ANY",
    "ALTER USER u IDENTIFIED WITH sha256_password BY 'hunter2', BY 'hunter3'": (
        "ALTER USER u IDENTIFIED WITH sha256_password BY '•••', BY '•••'"
    ),
    "create user a identified with sha256_hash by 'hunter2' salt 'hunter3'": (
        "create user a identified with sha256_hash by '•••' salt '•••'"
    ),
    "SELECT * FROM s3('https://b/x.csv', 'AKIAX', 'hunter2', 'CSV')": (
        "SELECT * FROM s3('https://b/x.csv', '•••', '•••', '•••')"
    ),
    "CREATE TABLE a (x Int8) ENGINE = S3('https://b', 'k123', 'hunter2') COMMENT 'plain'": (
        "CREATE TABLE a (x Int8) ENGINE = S3('https://b', '•••', '•••') COMMENT 'plain'"
    ),
    "INSERT INTO FUNCTION remoteSecure('h:9440', 'd.t', 'u', 'hunter2') SELECT 'plain'": (
        "INSERT INTO FUNCTION remoteSecure('h:9440', '•••', '•••', '•••') SELECT 'plain'"
    ),
    "CREATE NAMED COLLECTION c AS url = 'https://x', access_key_id = 'hunter3', secret_access_key = 'hunter2'": (
        "CREATE NAMED COLLECTION c AS url = 'https://x', access_key_id = '•••', secret_access_key = '•••'"
    ),
    "CREATE DICTIONARY d (x Int8) PRIMARY KEY x SOURCE(CLICKHOUSE(USER 'u' PASSWORD 'hunter2' TABLE 't'))": (
        "CREATE DICTIONARY d (x Int8) PRIMARY KEY x SOURCE(CLICKHOUSE(USER 'u' PASSWORD '•••' TABLE 't'))"
    ),
    "CREATE USER \"a\" WITH PASSWORD 'hunter2' WITH ALL PRIVILEGES": (
        "CREATE USER \"a\" WITH PASSWORD '•••' WITH ALL PRIVILEGES"
    ),
    "SET PASSWORD FOR \"a\" = 'hunter2'": "SET PASSWORD FOR \"a\" = '•••'",
    "ACL SETUSER bob on >hunter2 ~* >hunter3 +@all": "ACL SETUSER bob on >••• ~* >••• +@all",
    "CONFIG SET requirepass hunter2": "CONFIG SET requirepass •••",
    "AUTH bob hunter2": "AUTH bob •••",
    "MIGRATE h 1 k 0 1 AUTH hunter2": "MIGRATE h 1 k 0 1 AUTH •••",
    '{"user": "a", "passwd": "hunter2", "active": true}': '{"user": "a", "passwd": "•••", "active": true}',
    'HSET a b "{\\"password\\":\\"hunter2\\",\\"c\\":1}"': 'HSET a b "{\\"password\\":\\"•••\\",\\"c\\":1}"',
    "refused: Bearer hunter2": "refused: Bearer •••",
}
PLAIN = (
    "CREATE TABLE t (kind text CHECK (kind IN ('token', 'secret', 'password')), token text DEFAULT 'abc')",
    "COMMENT ON COLUMN a.token IS 'the token of it'",
    "SELECT token FROM t WHERE a = '3' AND b = '4'",
    "UPDATE t SET note = 'x@y.z' WHERE a = 'b:c@d'",
    "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h', dbname 'd')",
    '{"name": "title", "dataType": ["text"], "tokenization": "word"}',
    "write postgresql://user:password@host:5432/database, special characters percent-encoded (@ as %40)",
    "GRANT SELECT ON secrets TO 'reader'",
    "ALTER TYPE token ADD VALUE 'blue'",
    "redis://default:…@127.0.0.1:40000/0",
)


@pytest.mark.parametrize(("text", "shown"), SECRETS.items())
def test_hidden_secret_is_dots_and_the_rest_as_written(text: str, shown: str) -> None:
    assert hidden(text) == shown
    assert hidden(shown) == shown


@pytest.mark.parametrize("text", PLAIN)
def test_hidden_text_without_a_secret_is_as_it_was(text: str) -> None:
    assert hidden(text) == text


def test_hidden_message_that_repeats_the_secret_of_its_statement() -> None:
    statement = "ALTER ROLE a PASSWORD 'hunter''2'"
    assert hidden("bad word hunter'2 near 'hunter''2'", statement) == "bad word ••• near '•••'"


@pytest.mark.parametrize(
    "text", ["'" * 3001, "-- " * 3000, '"' * 3001 + " password", "$$" * 3001, "(" * 3000 + "token '"]
)
def test_hidden_odd_text_comes_to_an_end(text: str) -> None:
    assert isinstance(hidden(f"password {text}"), str)
