"""A store is added to provision.toml as text: nothing else of it changes, whatever its form."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from provision.errors import ConfigError
from provision.settings.edit import add_store, with_store

KEYS = {"kind": "postgres", "path": 'a "b"\\c'}
PROJECT = '[project]\nname = "p"\n'
ONE = PROJECT + "[stores.one]\n"
TEXTS = {
    "before what follows, whose comment stays above it": (
        ONE + '# of one\n\n# of the environment\n[environments.e]\none.url = "x"\n',
        ONE
        + '# of one\n\n[stores.two]\nkind = "postgres"\npath = "a \\"b\\"\\\\c"\n\n'
        + '# of the environment\n[environments.e]\none.url = "x"\n',
    ),
    "at the end": (ONE, f'{ONE}\n[stores.two]\nkind = "postgres"\npath = "a \\"b\\"\\\\c"\n'),
    "first store, before the environments": (
        PROJECT + "\n[environments.e]\n",
        PROJECT + '\n[stores.two]\nkind = "postgres"\npath = "a \\"b\\"\\\\c"\n\n[environments.e]\n',
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_section_goes(name: str) -> None:
    before, after = TEXTS[name]
    assert with_store(before, "two", KEYS) == after


@pytest.mark.parametrize(
    "text",
    [
        PROJECT.rstrip("\n"),
        "",
        PROJECT + '[stores]\none.path = "x"\n',
        PROJECT + '[ "stores" . one ]\n[environments.e]',
        # A text of several lines, and a list, that look like headers.
        PROJECT + '[stores.one]\npath = """\n[environments.x]\n"""\n[environments.e]\n',
        PROJECT + "[stores.one]\nx = [\n [1],\n]\n[environments]\n",
        ONE.replace("\n", "\r\n"),
        'stores.one.path = "x"\n' + PROJECT,
    ],
)
def test_every_other_line_stays(text: str) -> None:
    before = tomllib.loads(text)
    made = with_store(text, "two", {"kind": "redis"})
    assert made is not None
    assert tomllib.loads(made) == {**before, "stores": {**before.get("stores", {}), "two": {"kind": "redis"}}}
    rest = [line for line in made.splitlines() if line not in ("[stores.two]", 'kind = "redis"', "")]
    assert rest == [line for line in text.replace("\r\n", "\n").split("\n") if line]


def test_what_cannot_be_extended_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "provision.toml"
    file.write_text('stores = {one = {path = "x"}}\n')
    with pytest.raises(ConfigError) as error:
        add_store(file, "two", {"kind": "redis"})
    assert (error.value.code, error.value.fix) == (
        "toml-not-edited",
        'write it below stores by hand: two = {kind = "redis"}',
    )
    assert file.read_text() == 'stores = {one = {path = "x"}}\n'
    assert list(tmp_path.iterdir()) == [file]


def test_line_ends_mark_mode_and_link_stay(tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    real.write_bytes(b"\xef\xbb\xbf[stores.one]\r\n")
    real.chmod(0o640)
    link = tmp_path / "provision.toml"
    link.symlink_to(real)
    add_store(link, "two", {"kind": "redis"})
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert real.read_bytes() == b'\xef\xbb\xbf[stores.one]\r\n\r\n[stores.two]\r\nkind = "redis"\r\n'
