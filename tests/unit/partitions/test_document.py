"""What a document of partitions/ contradicts is said with its place, before anything is reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.errors import ConfigError, ProvisionError
from provision.model.partitions import Sub, SubBy
from provision.partitions.document import KEYS, read

HEAD = "store: postgres\ntable: t\ncolumn: at\ninterval: 1 month\n"
HASH, LIST = "by: hash, column: id", "by: list, column: id"


def of(tmp_path: Path, more: str) -> object:
    path = tmp_path / "t.yaml"
    path.write_text(HEAD + more)
    return read(path, "t.yaml", lambda _: KEYS)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("retain: 3 days\n", "rows are kept for 3 days, and a window holds 1 month"),
        ("retain: 2 weeks\n", "rows are kept for 2 weeks, and a window holds 1 month"),
        (f"sub: {{{HASH}}}\n", "windows are divided by hash, and parts are missing"),
        (f"sub: {{{LIST}}}\n", "windows are divided by list, and values are missing"),
        (f"sub: {{{LIST}, values: {{a: [1]}}, parts: 2}}\n", "windows are divided by list, which knows no parts"),
        (f"sub: {{{LIST}, values: {{a: [1, 2], b: ['1']}}}}\n", "1 is listed more than once"),
        (f"sub: {{{LIST}, values: {{rest: [1]}}}}\n", "the part rest takes what is in no list"),
        ("sub: {by: hash, column: at, parts: 2}\n", "windows are divided by at, which their bounds are of"),
        (f"engine: partman\nsub: {{{HASH}, parts: 2}}\n", "pg_partman divides no windows"),
        (
            f"merge_after: {{age: 24 months, into: year}}\nsub: {{{HASH}, parts: 2}}\n",
            "windows that are divided are not merged",
        ),
    ],
)
def test_keys_that_contradict_each_other_are_told(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        of(tmp_path, more)

    assert (raised.value.code, raised.value.what) == ("bad-partitions", said)
    assert raised.value.where == f"t.yaml:{5 + more.count(chr(10)) - 1}:1"
    assert raised.value.fix


@pytest.mark.parametrize(
    "more",
    [
        f"sub: {{{HASH}, parts: 1}}\n",
        f"sub: {{{HASH}, parts: 2, more: 1}}\n",
        f"sub: {{{LIST}, values: {{A: [1]}}}}\n",
        f"sub: {{{LIST}, values: {{a: []}}}}\n",
        "sub: {by: range, column: id}\n",
    ],
)
def test_what_sub_does_not_know_is_no_document(tmp_path: Path, more: str) -> None:
    with pytest.raises(ProvisionError) as raised:
        of(tmp_path, more)

    assert raised.value.code == "document-invalid", raised.value


def test_values_of_a_list_are_text_as_the_server_reads_them(tmp_path: Path) -> None:
    made = of(tmp_path, f"sub: {{{LIST}, values: {{a: [1, yes, true], b: ['x y']}}}}\n")

    assert made.sub == Sub(SubBy.LIST, "id", 0, (("a", ("1", "yes", "true")), ("b", ("x y",))))  # type: ignore[attr-defined]
