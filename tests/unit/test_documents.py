"""Documents of any kind: what a right one yields, and the whole message of each mistake."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from provision.documents import Auto, Document, Irreversible, Operation, check, document_schema, read
from provision.errors import ConfigError, ProvisionError, Several
from provision.text.durations import seconds

SCHEMAS = Path(__file__).parents[2] / "docs/schemas"
SCHEMA = document_schema(
    "A test migration",
    {
        "create_policy": {
            "type": "object",
            "description": "a mapping",
            "required": ["name", "duration"],
            "additionalProperties": False,
            "properties": {
                "name": {"type": "string", "pattern": "^[a-z_]+$", "description": "a name in lower case"},
                "duration": {"type": "string", "description": "a duration such as 24h"},
                "replicas": {"type": "integer", "minimum": 1, "maximum": 9},
                "mode": {"enum": ["fast", "safe"]},
                "size": {
                    "anyOf": [{"type": "integer"}, {"const": "none"}],
                    "description": "a whole number or none",
                },
                "tags": {"type": "array", "minItems": 1, "items": {"type": "string"}},
                "pair": {"type": "array", "maxItems": 2, "uniqueItems": True},
                "sums": {
                    "type": "object",
                    "propertyNames": {"pattern": "^[a-z]+$", "description": "a name in lower case"},
                },
                "code": {"type": "string", "pattern": "^[a-z]+$"},
                "span": {"type": ["string", "null"]},
                "default": {"type": "boolean"},
                "note": {"type": "string", "minLength": 1},
            },
        },
        "drop_policy": {"type": "object", "properties": {"name": {"type": "string"}}},
    },
)
GOOD = """\
description: Tiers
requires: [postgres/0007, clickhouse/003]
up:
  - create_policy: {name: real_time, duration: 24h, default: true}
  - drop_policy:
      name: old
down: auto
"""


def document(tmp_path: Path, text: str | bytes, name: str = "0002_retention_tiers.yaml") -> Document:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path, f"influx/{name}", SCHEMA)


def refused(tmp_path: Path, text: str | bytes) -> list[tuple[str, str, str, str]]:
    with pytest.raises(ProvisionError) as caught:
        document(tmp_path, text)
    errors = caught.value.errors if isinstance(caught.value, Several) else (caught.value,)
    assert all(isinstance(each, ConfigError) and each.exit_code == 2 for each in errors)
    return [
        (each.code, each.what, each.where.removeprefix("influx/0002_retention_tiers.yaml"), each.fix) for each in errors
    ]


def up(body: str) -> str:
    return f"up:\n  - create_policy: {{name: a, duration: 1h, {body}}}\ndown: auto\n"


def test_read_yields_operations_with_their_lines(tmp_path: Path) -> None:
    made = document(tmp_path, GOOD)
    assert (made.number, made.slug, made.description) == ("0002", "retention_tiers", "Tiers")
    assert made.requires == ("postgres/0007", "clickhouse/003")
    assert made.up == (
        Operation("create_policy", {"name": "real_time", "duration": "24h", "default": True}, 4, 5),
        Operation("drop_policy", {"name": "old"}, 5, 5),
    )
    assert made.down == Auto()
    assert made.checksum == hashlib.sha256(GOOD.encode()).hexdigest()


def test_read_windows_line_ends_and_mark_are_the_same_document(tmp_path: Path) -> None:
    windows = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    assert document(tmp_path, windows) == document(tmp_path, GOOD)


def test_read_without_description_uses_the_file_name(tmp_path: Path) -> None:
    assert document(tmp_path, up("note: x")).description == "retention tiers"


def test_read_down_as_list_or_irreversible(tmp_path: Path) -> None:
    listed = document(tmp_path, GOOD.replace("down: auto", "down: [{drop_policy: {name: real_time}}]"))
    assert listed.down == (Operation("drop_policy", {"name": "real_time"}, 7, 9),)
    gone = document(tmp_path, GOOD.replace("down: auto", "down: {irreversible: the points are gone}"))
    assert gone.down == Irreversible("the points are gone")


@pytest.mark.parametrize(("text", "value"), [("24h", "24h"), ("2026-01-01", "2026-01-01"), ("on", "on"), ("no", "no")])
def test_read_keeps_text_as_text(tmp_path: Path, text: str, value: str) -> None:
    assert document(tmp_path, up(f"note: {text}")).up[0].body["note"] == value


def wrong(what: str) -> tuple[str, str, str]:
    return "document-invalid", f"create_policy.{what}", ":2:44"


DOWN = 'write `auto`, a list of operations, or `irreversible: "why"`'


@pytest.mark.parametrize(
    ("text", "code", "what", "where", "fix"),
    [
        (up("replcas: 1"), "document-invalid", "create_policy has no key replcas", ":2:44", "did you mean replicas?"),
        (
            up("zzz: 1"),
            "document-invalid",
            "create_policy has no key zzz",
            ":2:44",
            "keys: name, duration, replicas, mode, size, tags, pair, sums, code, span, default, note",
        ),
        (
            "up:\n  - create_polcy: {}\ndown: auto\n",
            "document-invalid",
            "up[1] has no operation create_polcy",
            ":2:5",
            "did you mean create_policy?",
        ),
        (
            GOOD.replace("description:", "descripton:"),
            "document-invalid",
            "the file has no key descripton",
            ":1:1",
            "did you mean description?",
        ),
        (
            GOOD.replace("requires: [postgres/0007,", "requires: [postgres 7,"),
            "document-invalid",
            "requires[1] is postgres 7",
            ":2:12",
            "write an id such as postgres/0007",
        ),
        (
            "up:\n  - create_policy: {name: a}\ndown: auto\n",
            "document-invalid",
            "create_policy lacks duration",
            ":2:5",
            "add `duration:`, a duration such as 24h",
        ),
        (
            "up:\n  - drop_policy: {}\n",
            "document-invalid",
            "the file lacks down",
            ":1:1",
            "add `down:`, " + DOWN[6:],
        ),
        (up("replicas: 0"), "document-invalid", "create_policy.replicas is 0", ":2:44", "write at least 1"),
        (up("replicas: 10"), "document-invalid", "create_policy.replicas is 10", ":2:44", "write at most 9"),
        (up("replicas: two"), "document-invalid", "create_policy.replicas is two", ":2:44", "write a whole number"),
        (up("mode: fsat"), "document-invalid", "create_policy.mode is fsat", ":2:44", "did you mean fast?"),
        (up("mode: 1"), "document-invalid", "create_policy.mode is 1", ":2:44", "one of fast, safe"),
        (up("size: 1h"), "document-invalid", "create_policy.size is 1h", ":2:44", "write a whole number or none"),
        (up("tags: []"), "document-invalid", "create_policy.tags is empty", ":2:44", "fill it"),
        (up("tags: [a, 1]"), "document-invalid", "create_policy.tags[2] is 1", ":2:54", "write text"),
        (up("pair: [{b: 1, a: 2}, {b: 1, a: 2}]"), *wrong('pair names {"b": 1, "a": 2} twice'), "keep one of them"),
        (up("pair: [1, 2, 3]"), *wrong("pair has 3 entries"), "write at most 2"),
        (
            up("sums: {ok: 1, Not: 2}"),
            "document-invalid",
            "create_policy.sums has the key Not",
            ":2:58",
            "write a name in lower case",
        ),
        (up("code: A1"), *wrong("code is A1"), "correct the value"),
        (up("span: 1"), *wrong("span is 1"), "write text or null"),
        # The validator has an order of its own for keys, and a number that it cannot hold it rounds.
        (up("note: {b: 1, a: 2}"), *wrong('note is {"b": 1, "a": 2}'), "write text"),
        (up("note: 1180591620717411303424"), *wrong("note is 1180591620717411303424"), "write text"),
        (up("default: yes"), "document-invalid", "create_policy.default is yes", ":2:44", "write true or false"),
        (up("note: ''"), "document-invalid", "create_policy.note is empty", ":2:44", "fill it"),
        (
            "up:\n  - drop_policy: {}\n    create_policy: {name: a, duration: 1h}\ndown: auto\n",
            "document-invalid",
            "up[1] holds 2 operations: create_policy, drop_policy",
            ":2:5",
            "begin each with a dash of its own",
        ),
        (
            "up:\n  - drop_policy\ndown: auto\n",
            "document-invalid",
            "up[1] is drop_policy",
            ":2:5",
            "write `operation: {…}`",
        ),
        ("up:\n  - drop_policy:\ndown: auto\n", "document-invalid", "drop_policy is null", ":2:5", "write a mapping"),
        (
            GOOD.replace("down: auto", "down: automatic"),
            "document-invalid",
            "down is automatic",
            ":7:1",
            "did you mean auto?",
        ),
        (
            GOOD.replace("down: auto", "down: {irreversable: x, irreversible: y}"),
            "document-invalid",
            "down has no key irreversable",
            ":7:8",
            "did you mean irreversible?",
        ),
        (
            GOOD + "up: []\n",
            "document-invalid",
            "up is given twice, first on line 3",
            ":8:1",
            "keep one of them",
        ),
        ("", "empty-migration", "the file holds no operations", "", "write its `up` and `down`, or delete the file"),
        (
            "# later\n",
            "empty-migration",
            "the file holds no operations",
            "",
            "write its `up` and `down`, or delete the file",
        ),
        (
            "- up\n",
            "document-invalid",
            "the file is not a mapping of keys",
            ":1:1",
            "begin it with the keys description, up and down",
        ),
        ("up:\n\t- a\n", "bad-yaml", "the line is indented with a tab", ":2:1", "indent with spaces"),
        (
            "up: [1\n",
            "bad-yaml",
            "not YAML: did not find expected ',' or ']' while parsing a flow sequence",
            ":2:1",
            "correct the line",
        ),
        (
            "up: a: b\n",
            "bad-yaml",
            "not YAML: mapping values are not allowed in this context",
            ":1:6",
            "correct the line",
        ),
        (
            "up: &all [*all]\ndown: auto\n",
            "document-invalid",
            "an alias makes the file endless",
            ":1:5",
            "write the value out",
        ),
        (
            "up: !!python/name:os.system 1\ndown: auto\n",
            "document-invalid",
            "the tag tag:yaml.org,2002:python/name:os.system means nothing here",
            ":1:5",
            "remove the tag",
        ),
        (
            b"up: \xff\n",
            "not-utf8",
            "0002_retention_tiers.yaml is not UTF-8: byte 0xff at offset 4",
            "",
            "save the file as UTF-8",
        ),
    ],
)
def test_read_mistake_is_named(tmp_path: Path, text: str | bytes, code: str, what: str, where: str, fix: str) -> None:
    assert refused(tmp_path, text) == [(code, what, where, fix)]


# What a schema may say that no value can break by itself.
_QUIET = {"$schema", "$defs", "$ref", "$comment", "title", "description", "markdownDescription", "properties", "items"}
_QUIET |= {"if", "then", "else", "allOf"}


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.stem)
def test_every_keyword_of_the_schemas_has_words(path: Path) -> None:
    assert keywords(json.loads(path.read_text(encoding="utf-8"))) - _QUIET <= {*check._WORDS, "additionalProperties"}


def keywords(schema: Any) -> set[str]:
    """The keywords in a schema and in those below it."""
    if not isinstance(schema, dict):
        return {each for part in schema for each in keywords(part)} if isinstance(schema, list) else set()
    found = set(schema)
    for name, value in schema.items():
        if name in ("properties", "$defs"):
            found |= {each for part in value.values() for each in keywords(part)}
        elif name not in ("enum", "const", "required"):
            found |= keywords(value)
    return found


def test_read_all_mistakes_of_a_file_in_order(tmp_path: Path) -> None:
    text = "descripton: x\nup:\n  - create_policy: {nam: a, duration: 1h}\n  - drop: {}\ndown: aut\n"
    assert [(what, where) for _, what, where, _ in refused(tmp_path, text)] == [
        ("the file has no key descripton", ":1:1"),
        ("create_policy lacks name", ":3:5"),
        ("create_policy has no key nam", ":3:21"),
        ("up[2] has no operation drop", ":4:5"),
        ("down is aut", ":5:1"),
    ]


def test_read_two_duplicate_keys_are_both_named(tmp_path: Path) -> None:
    text = "up:\n  - drop_policy: {name: a, name: b}\ndown: auto\ndown: auto\n"
    assert [where for _, _, where, _ in refused(tmp_path, text)] == [":2:28", ":4:1"]


def test_read_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    ((code, what, _, _),) = refused(tmp_path, "\n".join(lines) + "\n")
    assert (code, what) == ("document-invalid", "an alias makes the file endless")


def test_read_bad_file_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        document(tmp_path, GOOD, "tiers.yaml")
    assert caught.value.code == "bad-filename"


@pytest.mark.parametrize(
    ("text", "value"), [(900, 900), ("60s", 60), ("15m", 900), ("2h", 7200), ("1d", 86400), ("2w", 1209600)]
)
def test_seconds(text: int | str, value: int) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["0s", "1.5h", "-1m", "1 h", "1y", "m"])
def test_seconds_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        seconds(text)
