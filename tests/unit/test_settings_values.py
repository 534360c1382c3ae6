"""Variables, secrets and overrides of one environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.errors import ConfigError, ProvisionError, Several
from provision.settings import Environment, Secret, load, resolve

HEAD = '[project]\nname = "vfr"\n[stores.postgres]\n[stores.redis]\n[stores.influx]\n[environments.e]\n'


def resolved(folder: Path, text: str, **variables: str) -> Environment:
    (folder / "provision.toml").write_text(HEAD + text, encoding="utf-8")
    return resolve(load(folder, variables), "e", variables)


def url(environment: Environment, store: str) -> str | None:
    secret = environment.places[store].url
    return secret.reveal() if secret is not None else None


def test_resolve_fills_variables_and_defaults(tmp_path: Path) -> None:
    found = resolved(
        tmp_path,
        'postgres.url = "postgresql://${HOST}:${PORT:-5432}/a"\nredis = "redis://${R:-}"\n',
        HOST="db",
    )

    assert (url(found, "postgres"), url(found, "redis"), found.embedded) == (
        "postgresql://db:5432/a",
        "redis://",
        False,
    )
    assert found.places["influx"].url is None


def test_resolve_embedded_environment_says_so(tmp_path: Path) -> None:
    assert resolved(tmp_path, "embedded = true\n").embedded


def test_resolve_store_that_is_off_is_off(tmp_path: Path) -> None:
    found = resolved(tmp_path, 'postgres = "off"\nredis.url = "off"\ninflux.url = "${X:-off}"\n')

    assert [found.places[name].off for name in ("postgres", "redis", "influx")] == [True, True, True]


def test_resolve_unset_variables_are_all_told(tmp_path: Path) -> None:
    with pytest.raises(Several) as caught:
        resolved(tmp_path, 'postgres.url = "${ONE}"\nredis.url = "${TWO}"\n')

    assert [(each.code, each.what, each.where, each.fix) for each in caught.value.errors] == [
        (
            "unset-variable",
            "ONE is not set",
            "provision.toml, [environments.e] postgres.url",
            'export ONE, or switch the store off there: "off" as the url of postgres',
        ),
        (
            "unset-variable",
            "TWO is not set",
            "provision.toml, [environments.e] redis.url",
            'export TWO, or switch the store off there: "off" as the url of redis',
        ),
    ]


def test_resolve_secret_of_a_file_is_read_and_masked(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0p-secret\n")

    found = resolved(tmp_path, 'influx = { url = "http://i", token = "${file:token}" }\n')

    assert found.places["influx"].extra == {"token": "t0p-secret"}
    assert found.mask("the t0p-secret was refused") == "the ••• was refused"


def test_resolve_secret_file_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        resolved(tmp_path, 'postgres.url = "${file:gone}"\n')

    assert (caught.value.code, caught.value.where) == (
        "unset-variable",
        "provision.toml, [environments.e] postgres.url",
    )
    assert caught.value.what.startswith(f"{tmp_path}/gone cannot be read: ")


@pytest.mark.parametrize(
    "text", ['postgres.url = "${UNSET}"\n', 'postgres = "off"\n', 'postgres = "postgresql://old"\n', ""]
)
def test_resolve_variable_overrides_the_url(tmp_path: Path, text: str) -> None:
    assert url(resolved(tmp_path, text, PROVISION_POSTGRES__URL="postgresql://new"), "postgres") == "postgresql://new"


def test_resolve_variable_overrides_any_key_of_a_place(tmp_path: Path) -> None:
    found = resolved(
        tmp_path,
        'influx = { url = "http://i", token = "written" }\n',
        PROVISION_INFLUX__TOKEN="over-ridden",
        PROVISION_INFLUX__ORG="vfr",
    )

    assert found.places["influx"].extra == {"token": "over-ridden", "org": "vfr"}
    assert found.mask("over-ridden") == "•••"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("postgresql://u:s3cret@host/a", "s3cret"),
        ("postgresql://u:p%40ss%2Fword@host/a", "p%40ss%2Fword"),
        ("postgresql://u:p%40ss%2Fword@host/a", "p@ss/word"),
        ("redis://:only-word@host", "only-word"),
    ],
)
def test_mask_hides_the_password_of_a_url_as_written_and_as_sent(tmp_path: Path, written: str, shown: str) -> None:
    found = resolved(tmp_path, f'postgres.url = "{written}"\n')

    assert found.mask(f"refused {shown}, twice {shown}") == "refused •••, twice •••"


def test_mask_longer_secret_is_hidden_whole() -> None:
    assert Environment("e", False, {}, ("abcd", "abcdef")).mask("abcdef abcd") == "••• •••"


def test_mask_short_values_are_left_alone(tmp_path: Path) -> None:
    found = resolved(tmp_path, 'postgres.url = "postgresql://u:up@host/a"\n')

    assert found.mask("provision up") == "provision up"


def test_secret_never_shows_itself() -> None:
    secret = Secret("t0p")

    assert (repr(secret), str(secret), f"{secret}", secret.reveal()) == (
        "Secret(•••)",
        "Secret(•••)",
        "Secret(•••)",
        "t0p",
    )


def test_resolve_error_never_holds_a_secret(tmp_path: Path) -> None:
    with pytest.raises(ProvisionError) as caught:
        resolved(tmp_path, 'postgres.url = "postgresql://u:${PW}@${HOST}/a"\n', PW="t0p-secret")

    assert "t0p-secret" not in f"{caught.value}{caught.value.where}{caught.value.fix}"
