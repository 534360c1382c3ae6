"""Command lines and provision.toml: what the fix names is typed or written, and the command ends well."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from provision.embedded import engine
from tests.backfill import project
from tests.cli.projects import sealed
from tests.fixes import steady
from tests.fixes.steady import Case, Steady
from tests.servers.command_line import Provision

TOML = "provision.toml"
TEXT = project._TOML.format(lease=1)
URL = 'postgres.url = "${SHOP_POSTGRES}"\n'
LOCAL = "[environments.local]\nembedded = true\n"
STATUS = "status"
INLINE = """stores = {postgres = {path = "alembic"}}
[project]
name = "shop"
home = "postgres"
[environments.test]
postgres.url = "${SHOP_POSTGRES}"
"""
SEARCH = {
    TOML: TEXT.replace("[environments.test]", f'[stores.search]\nkind = "arango"\n{LOCAL}[environments.test]'),
    "search/.gitkeep": "",
}


def toml(
    code: str, line: str, wrong: tuple[str, str], words: str, fixed: tuple[str, str] = ("", ""), right: str = ""
) -> Case:
    """Of provision.toml some text is another, wrong one, and then another, right one."""
    assert wrong[0] in TEXT
    return Case(code, line, words, {TOML: TEXT.replace(*wrong)}, {TOML: TEXT.replace(*fixed)}, right)


CASES = [
    Case("unknown-environment", "status --env tset", "did you mean 'test'?", right="status --env test"),
    toml(
        "no-such-option",
        STATUS,
        (URL, f'{URL}options = "demo"\n'),
        "give a store one: options = {demo = …}",
        ('alembic"\n', 'alembic"\noptions = {demo = "0002"}\n'),
    ),
    toml(
        "no-embedded-environment",
        "local status",
        ("shop", "shop"),
        "give one of them `embedded = true`",
        (URL, URL + LOCAL),
    ),
    Case("no-engine", "local start search", "stores with one: postgres", SEARCH, SEARCH, "local start postgres"),
    toml("store-not-configured", "plan --only postgres", (URL, 'postgres = "off"\n'), "set postgres.url"),
    toml(
        "store-off",
        "validate suggest orders --store postgres",
        (URL, 'postgres = "off"\n'),
        "choose another environment",
        (URL, URL + "[environments.other]\n" + URL),
        "validate suggest orders --store postgres --env other",
    ),
    Case(
        "toml-not-edited",
        "store add cache --kind redis",
        "write it below stores by hand: cache = {",
        {TOML: INLINE},
        {TOML: INLINE.replace("}}", '}, cache = {kind = "redis", path = "cache"}}'), "cache/.gitkeep": ""},
        "graph",
    ),
    toml("bad-url", STATUS, ("${SHOP_POSTGRES}", "postgresql://me:a@b#c@127.0.0.1:1/x"), "@ as %40"),
    Case(
        "plan-environment",
        "up --plan p.json",
        "make the plan again",
        {
            "p.json": sealed(
                '{"format": 3, "project": "shop", "environment": "live", "steps": [], "held": {}, "digest": {},'
                ' "basis": {}, "objects": {}}'
            )
        },
        right="plan --out q.json",
    ),
    Case("unwritable-file", "plan --out no/p.json", "a folder that exists", right="plan --out p.json"),
    Case(
        "no-such-rule",
        "lint --explain index-not-concurent",
        "did you mean 'index-not-concurrent'?",
        right="lint --explain index-not-concurrent",
    ),
    Case(
        "bad-reference",
        "lint --changed-since nowhere",
        "name a branch or commit that is here",
        right="lint --changed-since main",
    ),
    Case("unreadable-file", "lint --store postgres x.sql", "put a file in its place", {}, {"x.sql": "select 1;\n"}),
    toml(
        "not-embedded",
        "verify --env test",
        ("shop", "shop"),
        "name an environment with `embedded = true` and no urls",
        (URL, URL + LOCAL),
        "verify --env local",
    ),
    Case(
        "bad-snapshot",
        "drift --env local",
        "`provision verify --write`",
        {TOML: TEXT.replace(URL, URL + LOCAL), "schema/postgres.json": "{"},
        {},
        "verify --write",
    ),
    Case(
        "bad-statistics",
        "verify --env local --stats old.json",
        "write them anew: `provision stats --env NAME --out FILE`",
        {TOML: TEXT.replace(URL, URL + LOCAL), "old.json": "{"},
        {},
        "stats --env test --out old.json",
    ),
    toml(
        "no-snapshot",
        "drift --env local",
        (URL, URL + LOCAL),
        "run `provision verify --write`",
        (URL, URL + LOCAL),
        "verify --write",
    ),
]


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory, postgres_18: str) -> Iterator[Steady]:
    place = tmp_path_factory.mktemp("shop")
    made = steady.lay_out(place, postgres_18)
    second = place / "alembic" / "versions" / "0002_source_is_there.py"
    # `verify` says whatever `lint` does, and ends with 1 for it.
    allowed = "\ndef upgrade", "\n# lint: allow-file set-not-null: forty rows\n\n\ndef upgrade"
    second.write_text(second.read_text().replace(*allowed))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("SHOP_POSTGRES", made.url)
        steady.begin(made)
        for words in ("init -q -b main", "add -A", "-c user.name=a -c user.email=a@b commit -q -m one"):
            subprocess.run(["git", *words.split()], check=True)
        yield made
    engine("postgres", "postgres", place / ".provision").reset()  # `drift --env local` has started it


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_line_is_written_as_the_fix_says(
    orders: Steady, provision: Provision, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    monkeypatch.chdir(orders.place)
    steady.follow(orders, provision, case, lambda url: monkeypatch.setenv("SHOP_POSTGRES", url))
