"""What is wrong with provision.toml, the environment and its variables is said before any server is asked."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.projects import NOWHERE, edit, refused, untouched
from tests.servers.command_line import Provision

EVERY_COMMAND = (
    ("up", "-e", "test"),
    ("down", "--all", "-e", "test"),
    ("status", "-e", "test"),
    ("plan", "--offline"),
    ("history", "-e", "test"),
    ("graph",),
    ("new", "redis", "one more"),
    ("local", "status"),
)
REACHING = (
    ("up",),
    ("down", "--all"),
    ("status",),
    ("plan",),
    ("history",),
    ("lock", "show"),
    ("baseline", "redis/0001"),
)


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, url in NOWHERE.items():
        monkeypatch.setenv(name, url)


@pytest.mark.parametrize("words", EVERY_COMMAND, ids=lambda words: words[0])
def test_no_project_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provision: Provision, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    with untouched(tmp_path):
        ran = provision(*words)
    refused(
        ran,
        2,
        """\
error[no-project]: no provision.toml here or in any folder above
  where  PROJECT
  fix    run `provision init` in the folder of the project, or change into it
""",
    )


def test_unknown_keys_are_all_named_with_their_lines(files: Path, provision: Provision) -> None:
    text = (files / "provision.toml").read_text()
    text = text.replace("[stores.clickhouse]", '[stores.clickhouse]\npaht = "clickhouse"').replace(
        "redis.url =", "redis.ulr ="
    )
    (files / "provision.toml").write_text("hom = 1\n" + text.replace('home = "postgres"', 'hoem = "postgres"'))
    with untouched(files):
        ran = provision("up", "-e", "test")
    refused(
        ran,
        2,
        """\
error[unknown-key]: no key is called 'hom'
  where  PROJECT/provision.toml:1
  fix    known: project, stores, environments, lint
error[unknown-key]: no key is called 'hoem' in [project]
  where  PROJECT/provision.toml:4
  fix    did you mean 'home'?
error[unknown-key]: no key is called 'paht' in [stores.clickhouse]
  where  PROJECT/provision.toml:11
  fix    did you mean 'path'?
error[unknown-key]: no key is called 'ulr' in [environments.test.redis]
  where  PROJECT/provision.toml:21
  fix    did you mean 'url'?
""",
    )


def test_store_that_the_project_does_not_have(files: Path, provision: Provision) -> None:
    edit(files / "provision.toml", "clickhouse.url", "clickhous.url")
    with untouched(files):
        ran = provision("up", "-e", "test")
    refused(
        ran,
        2,
        """\
error[unknown-store]: no store is called 'clickhous' in [environments.test]
  where  PROJECT/provision.toml:18
  fix    did you mean 'clickhouse'?
""",
    )


@pytest.mark.parametrize("words", [("up", "-e", "test"), ("plan", "--offline"), ("graph",), ("status", "-e", "test")])
def test_only_names_no_store(files: Path, provision: Provision, words: tuple[str, ...]) -> None:
    with untouched(files):
        ran = provision(*words, "--only", "postgre")
    refused(
        ran,
        2,
        """\
error[unknown-store]: no store is called 'postgre'
  where  provision.toml
  fix    did you mean 'postgres'?
""",
    )


def test_new_for_no_store(files: Path, provision: Provision) -> None:
    with untouched(files):
        ran = provision("new", "redsi", "one more")
    refused(
        ran,
        2,
        """\
error[unknown-store]: no store is called 'redsi'
  where  PROJECT/provision.toml
  fix    did you mean 'redis'?
""",
    )


def test_home_is_no_store(files: Path, provision: Provision) -> None:
    edit(files / "provision.toml", 'home = "postgres"', 'home = "postgress"')
    with untouched(files):
        ran = provision("up", "-e", "test")
    refused(
        ran,
        2,
        """\
error[unknown-store]: home names 'postgress', which is not a store of this project
  where  PROJECT/provision.toml:3
  fix    did you mean 'postgres'?
""",
    )


def test_kind_is_unknown(files: Path, provision: Provision) -> None:
    edit(files / "provision.toml", "[stores.redis]", '[stores.redis]\nkind = "rediss"')
    with untouched(files):
        ran = provision("up", "-e", "test")
    refused(
        ran,
        2,
        """\
error[unknown-kind]: redis is of no known kind: 'rediss'
  where  PROJECT/provision.toml:12
  fix    did you mean 'redis'?
""",
    )


def test_unknown_environment(files: Path, provision: Provision) -> None:
    with untouched(files):
        ran = provision("up", "--env", "tset")
    refused(
        ran,
        2,
        """\
error[unknown-environment]: no environment is called 'tset'
  where  PROJECT/provision.toml
  fix    did you mean 'test'?
""",
    )


def test_unknown_environment_in_the_variable(
    files: Path, monkeypatch: pytest.MonkeyPatch, provision: Provision
) -> None:
    monkeypatch.setenv("PROVISION_ENV", "staging")
    with untouched(files):
        ran = provision("status")
    refused(
        ran,
        2,
        """\
error[unknown-environment]: no environment is called 'staging'
  where  PROVISION_ENV=staging; PROJECT/provision.toml
  fix    known: local, test
""",
    )


@pytest.mark.parametrize("words", REACHING, ids=lambda words: words[0])
def test_environment_not_named_while_piped(files: Path, provision: Provision, words: tuple[str, ...]) -> None:
    with untouched(files):
        ran = provision(*words)
    refused(
        ran,
        2,
        """\
error[environment-not-named]: output is not a terminal, and no environment is named
  where  provision.toml has local, test
  fix    add --env NAME, or set PROVISION_ENV
""",
    )


def test_unset_variables_are_all_named(files: Path, monkeypatch: pytest.MonkeyPatch, provision: Provision) -> None:
    for name in NOWHERE:
        monkeypatch.delenv(name)
    edit(files / "provision.toml", '"${SMALL_REDIS}"', '"redis://:${file:secrets/redis}@127.0.0.1:1/0"')
    with untouched(files):
        ran = provision("up", "-e", "test")
    refused(
        ran,
        2,
        """\
error[unset-variable]: SMALL_POSTGRES is not set
  where  provision.toml, [environments.test] postgres.url
  fix    export SMALL_POSTGRES, or switch the store off there: "off" as the url of postgres
error[unset-variable]: SMALL_CLICKHOUSE is not set
  where  provision.toml, [environments.test] clickhouse.url
  fix    export SMALL_CLICKHOUSE, or switch the store off there: "off" as the url of clickhouse
error[unset-variable]: PROJECT/secrets/redis cannot be read: no such file or directory
  where  provision.toml, [environments.test] redis.url
  fix    create the file, or switch the store off there: "off" as the url of redis
""",
    )


def test_variable_that_is_set_and_empty(files: Path, monkeypatch: pytest.MonkeyPatch, provision: Provision) -> None:
    monkeypatch.setenv("SMALL_CLICKHOUSE", "")
    monkeypatch.setenv("SMALL_REDIS", "off")
    with untouched(files):
        ran = provision("up", "-e", "test", "--only", "clickhouse")
    refused(
        ran,
        2,
        """\
error[unset-variable]: SMALL_CLICKHOUSE is set to nothing
  where  provision.toml, [environments.test] clickhouse.url
  fix    export SMALL_CLICKHOUSE, or switch the store off there: "off" as the url of clickhouse
""",
    )


def test_store_with_revisions_and_no_url(files: Path, provision: Provision) -> None:
    """A store that does not answer outweighs it: what is known of the databases comes first."""
    edit(files / "provision.toml", 'redis.url = "${SMALL_REDIS}"\n', "")
    with untouched(files):
        ran = provision("up", "-e", "test")
    refused(
        ran,
        4,
        """\
error[unreachable]: postgres does not answer: nothing listens there
  where  127.0.0.1:1/small
  fix    start the server, or correct the url
error[unreachable]: clickhouse does not answer: nothing listens there
  where  127.0.0.1:1/small
  fix    start the server, or correct the url
error[no-url]: redis has revisions, but no url in environment test
  where  provision.toml, [environments.test]
  fix    set redis.url; "off" leaves the store out
""",
    )


def test_toml_that_cannot_be_read(files: Path, provision: Provision) -> None:
    edit(files / "provision.toml", 'name = "small"', "name = small")
    with untouched(files):
        ran = provision("up", "-e", "test")
    refused(
        ran,
        2,
        """\
error[toml-invalid]: provision.toml is not TOML: invalid value
  where  PROJECT/provision.toml:2:8
  fix    correct the line
""",
    )


def test_toml_that_is_not_utf_8(files: Path, provision: Provision) -> None:
    (files / "provision.toml").write_bytes('[project]\nname = "küche"\n'.encode("latin-1"))
    with untouched(files):
        ran = provision("up", "-e", "test")
    refused(
        ran,
        2,
        """\
error[not-utf8]: provision.toml is not UTF-8: byte 0xfc at offset 19
  where  PROJECT/provision.toml
  fix    save the file as UTF-8
""",
    )


@pytest.mark.parametrize(
    ("text", "err"),
    [
        (
            "project = 1\n",
            """\
error[bad-value]: project is 1, not a table
  where  PROJECT/provision.toml:1
  fix    write [project] and its keys below it
""",
        ),
        (
            '[project]\nname = "x"\n[stores]\nredis = 3\n',
            """\
error[bad-value]: stores.redis is 3, not a table
  where  PROJECT/provision.toml:4
  fix    write [stores.redis] and its keys below it
""",
        ),
        (
            '[project]\nname = "x"\n[stores.redis]\n[environments]\ntest = 3\n',
            """\
error[bad-value]: environments.test is 3, not a table
  where  PROJECT/provision.toml:5
  fix    write [environments.test] and its keys below it
""",
        ),
        (
            'environments = 3\n[project]\nname = "x"\n',
            """\
error[bad-value]: environments is 3, not a table
  where  PROJECT/provision.toml:1
  fix    write [environments] and its keys below it
""",
        ),
        (
            'stores = 3\n[project]\nname = "x"\n',
            """\
error[bad-value]: stores is 3, not a table
  where  PROJECT/provision.toml:1
  fix    write [stores] and its keys below it
""",
        ),
        (
            '[project]\nname = "x"\n[stores.redis]\n[environments.test]\nredis = 5\n',
            """\
error[bad-value]: environments.test.redis is 5, not a table
  where  PROJECT/provision.toml:5
  fix    write [environments.test.redis] and its keys below it
""",
        ),
        (
            '[project]\nname = "x"\n[stores.redis]\n[environments.test]\nredis.url = 5\n',
            """\
error[bad-value]: environments.test.redis.url is 5, not text in quotes
  where  PROJECT/provision.toml:5
  fix    write text in quotes
""",
        ),
        (
            '[project]\nname = "x"\nlease = "soon"\n',
            """\
error[bad-duration]: 'soon' is not a duration
  where  PROJECT/provision.toml:3
  fix    write it like 500ms, 30s, 10m or 2h
""",
        ),
        (
            '[project]\nname = 3\n[stores.redis]\npath = 3\n[environments.test]\nembedded = "yes"\n',
            """\
error[bad-value]: project.name is 3, not text in quotes
  where  PROJECT/provision.toml:2
  fix    write text in quotes
error[bad-value]: stores.redis.path is 3, not text in quotes
  where  PROJECT/provision.toml:4
  fix    write text in quotes
error[bad-value]: environments.test.embedded is 'yes', not true or false
  where  PROJECT/provision.toml:6
  fix    write true or false
""",
        ),
    ],
)
def test_value_of_another_shape(files: Path, provision: Provision, text: str, err: str) -> None:
    (files / "provision.toml").write_text(text)
    with untouched(files):
        ran = provision("up", "-e", "test")
    refused(ran, 2, err)


def test_missing_extras_are_all_named(files: Path, monkeypatch: pytest.MonkeyPatch, provision: Provision) -> None:
    """The folder `redis/` of the project looks like a package of that name: it has no origin, and does not count."""
    for name in ("redis", "clickhouse_connect"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "path", [str(files), *(each for each in sys.path if "site-packages" not in each)])
    with untouched(files):
        ran = provision("up", "-e", "test")
    refused(
        ran,
        2,
        """\
error[missing-extra]: clickhouse needs the package clickhouse-connect, which is not installed
  where  provision.toml, [stores.clickhouse]
  fix    pip install 'provision-toolkit[clickhouse]'
error[missing-extra]: redis needs the package redis, which is not installed
  where  provision.toml, [stores.redis]
  fix    pip install 'provision-toolkit[redis]'
""",
    )
