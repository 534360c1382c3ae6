"""Redis documents on disk: order and parents, mistakes the schema cannot see, and what a plan shows of them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

from provision.errors import ConfigError, ProvisionError, Several
from provision.kinds import build
from provision.model import Direction, Step, StoreOptions
from provision.stores.redis.files import schema
from provision.stores.redis.migrate.operations import OPERATIONS
from provision.stores.redis.store import RedisStore

ROOT = Path(__file__).parents[3]


def store(tmp_path: Path, **texts: str) -> RedisStore:
    folder = tmp_path / "redis"
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name.removeprefix('n')}.yaml").write_text(text, encoding="utf-8")
    made = build(StoreOptions("cache", "redis", "vfr", folder, tmp_path))
    assert isinstance(made, RedisStore)
    return made


def refused(made: RedisStore) -> list[tuple[str, str, str]]:
    with pytest.raises(ProvisionError) as caught:
        made.revisions()
    errors = caught.value.errors if isinstance(caught.value, Several) else (caught.value,)
    assert {each.code for each in errors} == {"document-invalid"}
    return [(each.what, each.where.removeprefix("redis/"), each.fix) for each in errors]


def family(name: str, pattern: str) -> str:
    return f"key_family: {{name: {name}, pattern: '{pattern}', type: json, ttl: none, owner: o, description: d}}"


def doc(*operations: str, down: str = "auto") -> str:
    return "up:\n" + "".join(f"  - {each}\n" for each in operations) + f"down: {down}\n"


DELETE = "delete_keys: {pattern: 'a:*'}"
GONE = "{irreversible: gone}"


def test_published_schema_is_the_one_that_is_printed() -> None:
    assert json.loads((ROOT / "docs/schemas/redis.json").read_text(encoding="utf-8")) == schema()


def test_revisions_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    made = store(tmp_path, n10_last=doc(DELETE, down=GONE), n9_first=doc(family("a", "a:{b}")))
    first, last = made.revisions()
    assert (first.id, first.parents, first.destructive, first.irreversible) == ("cache/9", (), False, None)
    assert (last.id, last.parents, last.destructive, last.irreversible) == ("cache/10", ("cache/9",), True, "gone")
    assert (last.path, last.title) == ("redis/10_last.yaml", "cache/10_last")


@pytest.mark.parametrize("other", ["n01_b", "n1_b"])
def test_revisions_same_number_twice(tmp_path: Path, other: str) -> None:
    made = store(tmp_path, n01_a=doc(DELETE, down=GONE), **{other: doc(DELETE, down=GONE)})
    with pytest.raises(ConfigError) as caught:
        made.revisions()
    assert (caught.value.code, caught.value.what) == ("duplicate-id", "2 files have the number 1")


def test_revisions_wrong_files_are_all_named(tmp_path: Path) -> None:
    made = store(tmp_path, n01_a=doc("delete_key: {}"), n02_b="up: [\n")
    (tmp_path / "redis" / "03_c.yml").write_text("")
    with pytest.raises(Several) as caught:
        made.revisions()
    assert [(each.code, each.where) for each in caught.value.errors] == [
        ("document-invalid", "redis/01_a.yaml:2:5"),
        ("bad-yaml", "redis/02_b.yaml:2:1"),
        ("bad-filename", "redis/03_c.yml"),
    ]


NOT_UNDONE = 'write `down` as a list, or `irreversible: "why"`'


@pytest.mark.parametrize(
    ("text", "what", "where", "fix"),
    [
        (doc(DELETE), "`down: auto` cannot undo delete_keys on line 2", "1_a.yaml:3:1", NOT_UNDONE),
        (
            doc("rename_keys: {pattern: 'a:*', to: 'b:*'}"),
            "`down: auto` cannot undo rename_keys on line 2",
            "1_a.yaml:3:1",
            NOT_UNDONE,
        ),
        (
            doc("trim_stream: {name: s, max_length: 5, min_id: 7}", down=GONE),
            'trim_stream is {"name": "s", "max_length": 5, "min_id"…',
            "1_a.yaml:2:5",
            "write a mapping with `name` and one of `max_length` and `min_id`",
        ),
        (
            doc("trim_stream: {name: s, min_id: 18446744073709551616}", down=GONE),
            "18446744073709551616-0 is higher than any entry id",
            "1_a.yaml:2:28",
            "write numbers up to 18446744073709551615",
        ),
        (
            doc("rename_keys: {pattern: 'a:*', to: 'b:*:*'}", down=GONE),
            "b:*:* has not as many * as a:*",
            "1_a.yaml:2:35",
            "write one for each",
        ),
        (
            doc("rename_keys: {pattern: 'a:*', to: 'a:b:*'}", down=GONE),
            "a key named like a:b:* could match a:* again",
            "1_a.yaml:2:35",
            "rename by way of a name that the pattern does not match",
        ),
        (
            doc("delete_keys: {pattern: 'provision:*'}", down=GONE),
            "delete_keys.pattern is provision:*",
            "1_a.yaml:2:19",
            "write a key pattern with `*` for any text, not of provision's own keys",
        ),
        (
            doc("key_family: {name: a, pattern: 'a:{b}', type: json, ttl: 1h, owner: o, description: d, tenant: t}"),
            "the pattern of a has no placeholder {t}",
            "1_a.yaml:2:92",
            "name one of b",
        ),
        (
            doc(
                "key_family: {name: a, pattern: 'a:{b}', type: zset, ttl: 1h, owner: o, description: d, fields: {x: y}}"
            ),
            "a zset has no fields",
            "1_a.yaml:2:92",
            "remove them, or correct the type",
        ),
        (
            doc("key_family: {name: a, pattern: 'a:{b}', type: json, ttl: 1 hour, owner: o, description: d}"),
            "key_family.ttl is 1 hour",
            "1_a.yaml:2:57",
            "write seconds, a duration such as 15m, 2h or 1d, or none",
        ),
        (
            doc("key_family: {name: a, pattern: 'a:{b}', type: jsn, ttl: 1h, owner: o, description: d}"),
            "key_family.type is jsn",
            "1_a.yaml:2:45",
            "did you mean json?",
        ),
        (
            doc("create_stream: {name: s, owner: o, description: d}"),
            "create_stream lacks maxlen",
            "1_a.yaml:2:5",
            "add `maxlen:`, a whole number, about how many entries its writers keep (XADD … MAXLEN ~)",
        ),
        (
            doc("create_group: {stream: s, name: g, start: first}"),
            "create_group.start is first",
            "1_a.yaml:2:40",
            "write `$` (new entries only, the default), 0 (from the first entry) or an entry id",
        ),
        (
            doc("set_config: {parameter: requirepass, value: x}"),
            "set_config.parameter is requirepass",
            "1_a.yaml:2:18",
            "write secrets in redis.conf, not in a migration",
        ),
        (
            doc('function: {library: lib, code: "return 1"}'),
            "the code does not begin with #!lua name=lib",
            "1_a.yaml:2:30",
            "make #!lua name=lib its first line",
        ),
        (
            doc("redis: {commands: [SET a 1], down: [DEL a]}"),
            "redis lacks probe",
            "1_a.yaml:2:5",
            "add `probe:`, a reading `command` and what it `equals` once the commands took effect (or `differs` from)",
        ),
        (
            doc("redis: {commands: [SET a 1], probe: {command: GET a, equals: 1}}"),
            "redis lacks down",
            "1_a.yaml:2:5",
            "add `down:`, the commands that undo it",
        ),
        (
            doc("redis: {commands: [KEYS *], probe: {command: GET a, equals: 1}, down: [DEL a]}"),
            "KEYS may not stand here: it stops every other client while it reads the whole keyspace",
            "1_a.yaml:2:13",
            "leave it out",
        ),
        (
            doc("redis: {commands: [EVAL x 0], probe: {command: GET a, equals: 1}, down: [DEL a]}"),
            "EVAL may not stand here: Redis does not take it together with a ledger entry",
            "1_a.yaml:2:13",
            "leave it out",
        ),
        (
            doc("redis: {commands: [SET a 1], probe: {command: GET a, equals: 1}, down: [DEL provision:vfr:x]}"),
            "DEL may not stand here: keys that begin with provision: are provision's own",
            "1_a.yaml:2:70",
            "leave it out",
        ),
        (
            doc('redis: {commands: ["SET a \'b"], probe: {command: GET a, equals: 1}, down: [DEL a]}'),
            "SET a 'b cannot be read: no closing quotation",
            "1_a.yaml:2:13",
            "close the quotation",
        ),
    ],
)
def test_revisions_mistake_is_named(tmp_path: Path, text: str, what: str, where: str, fix: str) -> None:
    assert refused(store(tmp_path, n1_a=text)) == [(what, where, fix)]


def test_revisions_key_families_that_share_a_key(tmp_path: Path) -> None:
    made = store(
        tmp_path,
        n1_a=doc(family("perf", "vfr:perf:{model}:{day}")),
        n2_b=doc(family("lat", "vfr:perf:latency:{symbol}")),
    )
    assert refused(made) == [
        (
            "key family lat (vfr:perf:latency:{symbol}) overlaps perf (vfr:perf:{model}:{day}) of redis/1_a.yaml:2",
            "2_b.yaml:2:5",
            "change a segment so that no key is in both",
        )
    ]


def test_revisions_key_family_after_drop_may_take_its_keys(tmp_path: Path) -> None:
    made = store(
        tmp_path,
        n1_a=doc(family("a", "x:{y}")),
        n2_b=doc("drop_key_family: {name: a}", family("b", "x:{z}"), down=GONE),
    )
    assert len(made.revisions()) == 2


def test_describe_shows_commands_and_losses(tmp_path: Path) -> None:
    made = store(
        tmp_path,
        n1_a=doc("create_group: {stream: s, name: g}", "set_config: {parameter: maxclients, value: 500}"),
        n2_b=doc(DELETE, down=GONE),
    )
    first, second = made.revisions()
    up, down, gone = made.describe([Step(first), Step(first, Direction.DOWN), Step(second, Direction.DOWN)])
    assert up.statements == ("XGROUP CREATE s g $", "CONFIG SET maxclients 500")
    assert up.destructive == ()
    assert down.statements == (
        'CONFIG SET maxclients "<provision:vfr:config_before maxclients>"\nHDEL provision:vfr:config_before maxclients',
        "XGROUP DESTROY s g",
    )
    assert down.destructive == ("position and pending entries of group g of s are lost",)
    assert (gone.statements, gone.reason) == (None, "there is no way down: gone")
    assert made.losses(Step(second)) == ("every key a:* is deleted",)
    assert made.losses(Step(second, Direction.DOWN)) == ()
    with pytest.raises(ConfigError, match="there is no way down: gone"):
        made.statements.of(Step(second, Direction.DOWN))


@pytest.mark.parametrize(
    ("commands", "loss"),
    [
        ("SET a 1", "SET a 1 can lose what is there"),
        ("HSETNX a b 1", None),
        ("ltrim a 0 9", "ltrim a 0 9 can lose what is there"),
    ],
)
def test_raw_commands_that_lose_say_so(commands: str, loss: str | None) -> None:
    assert OPERATIONS["redis"].destructive({"commands": [commands]}) == loss


def test_schema_is_valid_and_describes_every_operation() -> None:
    made = schema()
    jsonschema_rs.meta.validate(made)
    json.dumps(made)
    assert set(made["$defs"]["operation"]["properties"]) == set(OPERATIONS)
