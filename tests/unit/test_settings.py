"""provision.toml: what it may say, and every way in which it can be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.errors import ConfigError, ProvisionError, Several
from provision.settings import ProjectFile, choose, embedded_environment, find, load, seconds

GOOD = """\
[project]
name = "vfr"
home = "postgres"
lease = "45s"

[stores.postgres]
heads = "many"
[stores.orders]
kind = "postgres"
path = "orders"
strict = true
[stores.redis]

[environments.local]
embedded = true
[environments.production]
postgres.url = "${ML_DATABASE_URL}"
redis = "off"
"""


def written(folder: Path, text: str = GOOD) -> Path:
    (folder / "provision.toml").write_text(text, encoding="utf-8")
    for name in ("alembic", "orders", "redis", "elsewhere"):
        (folder / name).mkdir(exist_ok=True)
    return folder


def wrong(folder: Path, text: str, variables: dict[str, str] | None = None) -> list[tuple[str, str, str, str]]:
    """Code, what, where (below the folder) and fix of every error."""
    with pytest.raises(ProvisionError) as caught:
        load(written(folder, text), variables or {})
    parts = caught.value.errors if isinstance(caught.value, Several) else (caught.value,)
    return [(each.code, each.what, each.where.replace(f"{folder}/", ""), each.fix) for each in parts]


def test_load_good_file_gives_the_project(tmp_path: Path) -> None:
    project = load(written(tmp_path), {})

    assert (project.name, project.home, project.lease_seconds, project.many_heads) == (
        "vfr",
        "postgres",
        45.0,
        {"postgres"},
    )
    assert [(each.name, each.kind, each.path, dict(each.extra)) for each in project.stores] == [
        ("postgres", "postgres", tmp_path / "alembic", {}),
        ("orders", "postgres", tmp_path / "orders", {"strict": True}),
        ("redis", "redis", tmp_path / "redis", {}),
    ]
    assert {each.project for each in project.stores} == {"vfr"}
    assert (project.root, project.local) == (tmp_path, tmp_path / ".provision")


def test_load_smallest_file_has_no_home(tmp_path: Path) -> None:
    project = load(written(tmp_path, '[project]\nname = "vfr"\n'), {})

    assert (project.home, project.stores, project.lease_seconds) == ("none", (), 30.0)


def test_find_looks_upward(tmp_path: Path) -> None:
    below = written(tmp_path) / "a" / "b"
    below.mkdir(parents=True)

    assert find(below) == tmp_path / "provision.toml"


def test_find_no_project_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find(tmp_path)

    error = caught.value
    assert (error.code, error.what, error.where, error.fix) == (
        "no-project",
        "no provision.toml here or in any folder above",
        str(tmp_path),
        "run `provision init` in the folder of the project, or change into it",
    )


@pytest.mark.parametrize(
    ("variable", "value", "key"),
    [("PROVISION_ORDERS__PATH", "elsewhere", "path"), ("PROVISION_PROJECT__NAME", "other", "name")],
)
def test_load_variables_override_the_file(tmp_path: Path, variable: str, value: str, key: str) -> None:
    project = load(written(tmp_path), {variable: value})

    found = {"path": project.stores[1].path.name, "name": project.name}
    assert found[key] == value


def test_load_variable_of_an_unknown_key_is_refused(tmp_path: Path) -> None:
    ((code, what, _, fix),) = wrong(tmp_path, GOOD, {"PROVISION_REDIS__PAHT": "x"})

    assert (code, what, fix) == ("unknown-key", "no key is called 'paht' in [stores.redis]", "did you mean 'path'?")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "[environments.local]",
            "[enviroments.local]",
            ("unknown-key", "no key is called 'enviroments'", "did you mean 'environments'?"),
        ),
        ("home =", "hoem =", ("unknown-key", "no key is called 'hoem' in [project]", "did you mean 'home'?")),
        (
            "heads =",
            "haeds =",
            ("unknown-key", "no key is called 'haeds' in [stores.postgres]", "did you mean 'heads'?"),
        ),
        (
            'kind = "postgres"',
            'kind = "postgers"',
            ("unknown-kind", "orders is of no known kind: 'postgers'", "did you mean 'postgres'?"),
        ),
        (
            "redis = ",
            "rediss = ",
            ("unknown-store", "no store is called 'rediss' in [environments.production]", "did you mean 'redis'?"),
        ),
        (
            "postgres.url",
            "postgres.ulr",
            ("unknown-key", "no key is called 'ulr' in [environments.production.postgres]", "did you mean 'url'?"),
        ),
        (
            'home = "postgres"',
            'home = "mysql"',
            (
                "unknown-store",
                "home names 'mysql', which is not a store of this project",
                "known: postgres, orders, redis, none",
            ),
        ),
        ('"45s"', '"soon"', ("bad-duration", "'soon' is not a duration", "write it like 500ms, 30s, 10m or 2h")),
        (
            'name = "vfr"',
            "",
            ("missing-key", "the project has no name", 'add [project] name = "…"'),
        ),
    ],
)
def test_load_wrong_file_says_what_and_the_nearest(
    tmp_path: Path, old: str, new: str, expected: tuple[str, str, str]
) -> None:
    assert old in GOOD

    ((code, what, where, fix),) = wrong(tmp_path, GOOD.replace(old, new))

    assert (code, what, fix) == expected
    if new:
        line = next(n for n, text in enumerate(GOOD.replace(old, new).splitlines(), 1) if new in text)
        assert where == f"provision.toml:{line}"


def test_load_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    found = wrong(tmp_path, GOOD.replace("home", "hoem").replace("heads", "haeds").replace("path", "paht"))

    assert [what.split("'")[1] for _, what, _, _ in found] == ["hoem", "haeds", "paht"]


def test_load_broken_toml_is_refused(tmp_path: Path) -> None:
    ((code, what, _, _),) = wrong(tmp_path, "[project\n")

    assert code == "toml-invalid"
    assert what.startswith("provision.toml ")


def project(folder: Path, *environments: str) -> ProjectFile:
    text = '[project]\nname = "vfr"\n[stores.redis]\n' + "".join(f"[environments.{each}]\n" for each in environments)
    return load(written(folder, text), {})


def test_choose_option_wins_over_the_variable(tmp_path: Path) -> None:
    made = project(tmp_path, "a", "b")

    assert choose(made, "a", terminal=False, variables={"PROVISION_ENV": "b"}) == "a"
    assert choose(made, None, terminal=False, variables={"PROVISION_ENV": "b"}) == "b"


def test_choose_unnamed_and_piped_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        choose(project(tmp_path, "a", "b"), None, terminal=False, variables={})

    error = caught.value
    assert (error.code, error.what, error.where, error.fix) == (
        "environment-not-named",
        "output is not a terminal, and no environment is named",
        "provision.toml has a, b",
        "add --env NAME, or set PROVISION_ENV",
    )


def test_choose_unnamed_at_a_terminal_takes_the_only_or_the_embedded_one(tmp_path: Path) -> None:
    assert choose(project(tmp_path, "a"), None, terminal=True, variables={}) == "a"
    assert (
        choose(
            project(tmp_path, "a]\n[environments.l]\nembedded = true\n[environments.z"),
            None,
            terminal=True,
            variables={},
        )
        == "l"
    )


def test_choose_unknown_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        choose(project(tmp_path, "production"), "prodcution", terminal=True, variables={})

    assert (caught.value.code, caught.value.what, caught.value.fix) == (
        "unknown-environment",
        "no environment is called 'prodcution'",
        "did you mean 'production'?",
    )


def test_embedded_environment_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        embedded_environment(project(tmp_path, "a", "b"))

    assert (caught.value.code, caught.value.what, caught.value.fix) == (
        "no-embedded-environment",
        "0 environments say `embedded = true`",
        "name the environment with --env, or give one of them `embedded = true`",
    )


@pytest.mark.parametrize(
    ("text", "expected"), [("500ms", 0.5), ("30s", 30), ("10m", 600), ("1.5h", 5400), ("2d", 172800), (" 7 ", 7)]
)
def test_seconds_reads_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "-1s", "1y", "1s2"])
def test_seconds_refuses_anything_else(text: str) -> None:
    with pytest.raises(ConfigError, match="bad-duration"):
        seconds(text)


@pytest.mark.parametrize("name", ["a/b", "my project", "x\\", "ü"])
def test_load_project_name_that_no_ledger_could_hold(tmp_path: Path, name: str) -> None:
    (tmp_path / "provision.toml").write_text(f"[project]\nname = '{name}'\n")
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, {})
    assert (refused.value.code, refused.value.what) == ("bad-name", f"{name!r} is no name for a project")
    assert refused.value.where == f"{tmp_path / 'provision.toml'}:2"
