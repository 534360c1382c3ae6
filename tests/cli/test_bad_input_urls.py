"""A password that holds what divides a url: refused before any server is asked, and no part of it is shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from provision import kinds
from provision.settings.secrets import is_divided, passwords
from tests.cli.projects import NOWHERE, refused
from tests.servers.command_line import Provision

SCHEMES = {"postgres": "postgresql", "clickhouse": "clickhouse", "redis": "redis"}
PASSWORDS = [
    "hunter{}2secret",
    "1234{}5678",
    "{}hunter2",
    "hunter2{}",
    "hun{0}ter{0}2secret",
    "12{}ab=cd",
    "[hunter{}2]",
]
COMMANDS = (("up",), ("status",), ("doctor",), ("status", "-o", "json"), ("up", "-o", "github"), ("ledger", "verify"))


@pytest.mark.parametrize("store", SCHEMES)
@pytest.mark.parametrize("sign", "@#/?")
@pytest.mark.usefixtures("files")
def test_password_that_divides_its_url_is_told_and_not_shown(
    provision: Provision, monkeypatch: pytest.MonkeyPatch, store: str, sign: str
) -> None:
    for name, url in NOWHERE.items():
        monkeypatch.setenv(name, url)
    for password in (each.format(sign) for each in PASSWORDS):
        monkeypatch.setenv(f"SMALL_{store.upper()}", f"{SCHEMES[store]}://me:{password}@127.0.0.1:1/small")
        refused(
            provision("up", "-e", "test"),
            2,
            f"""\
error[bad-url]: the url of {store} cannot be read: its password holds an @, #, / or ? that divides the url
  where  provision.toml, [environments.test] {store}.url
  fix    percent-encode them: @ as %40, # as %23, / as %2F, ? as %3F, : as %3A, % as %25
""",
        )
        for words in COMMANDS:
            ran = provision(*words, "-e", "test")
            shown = [part for part in password.split(sign) if len(part) > 2 and part in ran.out + ran.err]
            assert (shown, ran.code) == ([], ran.code or 99), (words, password)


@pytest.mark.usefixtures("files")
def test_colon_in_a_password_is_read_and_not_shown(provision: Provision, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, url in NOWHERE.items():
        monkeypatch.setenv(name, url.replace("me@", "me:hun:ter2@"))
    for words in COMMANDS:
        ran = provision(*words, "-e", "test")
        assert "hun:ter2" not in ran.out + ran.err
        assert "ter2" not in ran.out + ran.err


def test_every_kind_has_its_url_looked_at_alike() -> None:
    """The look is the settings', before a kind sees anything."""
    for kind in kinds.every():
        assert is_divided(f"{kind.name}://me:a@b@host/d"), kind


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:p%40%23@host/d", "postgresql://host:5432/d?user=me", "postgresql:///d?host=/tmp/a@b",
        "postgresql://me@host/d?options=a@b", "postgresql://me:p:q@h1:1,h2:2/d", "redis://host/0", "sqlite:////tmp/a@b#c",
        "http://[::1]:80?token=a", "postgresql://me:p@[::1]:5432/d",
    ],
)  # fmt: skip
def test_right_url_is_not_divided(url: str) -> None:
    assert not is_divided(url)


def test_password_of_a_connection_string_without_a_scheme_is_known() -> None:
    assert "hunter2" in set(passwords("host=h password=hunter2 user=u"))
    assert "hunter 2" in set(passwords("host=h password='hunter 2'"))


def test_url_of_a_library_that_is_divided_is_refused_alike(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from provision import ConfigError, Project

    for name, url in NOWHERE.items():
        monkeypatch.setenv(name, url)
    with pytest.raises(ConfigError) as caught:
        Project.open(files, "test", variables={**os.environ, "SMALL_REDIS": "redis://:hun#ter2@h/0"})
    assert caught.value.code == "bad-url"
    assert "ter2" not in str(caught.value)
