"""How a project is opened, and what is said where that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

import provision
from provision import ConfigError, Project, UnreachableError
from tests.library.shop import PASSWORD, Shop


def test_a_project_is_found_from_a_folder_within_and_says_what_it_is(both: Shop) -> None:
    project = Project.open(both.root / "alembic" / "versions", env="test")
    assert (project.name, project.env, project.root, project.stores) == (
        "shop",
        "test",
        both.root,
        ("postgres", "redis"),
    )
    assert repr(project) == f"<Project shop in test: {both.root}>"


@pytest.mark.parametrize(
    ("env", "variables", "code"),
    [
        (None, {}, "environment-not-named"),
        ("tset", {}, "unknown-environment"),
        (None, {"PROVISION_ENV": "tset"}, "unknown-environment"),
        ("test", {"PROVISION_SHOP__LEASE": "x"}, ""),
    ],
)
def test_an_environment_is_named_or_refused(shop: Shop, env: str | None, variables: dict[str, str], code: str) -> None:
    if not code:
        assert Project.open(shop.root, env, variables=variables).env == env
        return
    with pytest.raises(ConfigError) as raised:
        Project.open(shop.root, env, variables=variables)
    error = raised.value
    assert error.code == code
    assert all((error.what, error.where, error.fix))


def test_the_variable_names_the_environment_and_the_only_one_needs_no_name(shop: Shop) -> None:
    assert Project.open(shop.root, variables={"PROVISION_ENV": "nowhere"}).env == "nowhere"
    file = shop.root / "provision.toml"
    file.write_text(file.read_text().split("[environments.nowhere]")[0])
    assert Project.open(shop.root, variables={}).env == "test"


def test_without_a_project_it_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        Project.open(tmp_path)
    assert (raised.value.code, raised.value.where) == ("no-project", str(tmp_path))


def test_a_server_that_does_not_answer_is_an_error_and_no_password_shows(shop: Shop) -> None:
    shop.table()
    project = shop.open("nowhere")
    with pytest.raises(UnreachableError) as raised:
        project.status()
    assert raised.value.code == "unreachable"
    assert PASSWORD not in repr(raised.value) + str(vars(raised.value)) + repr(vars(project))
    found = project.status(tolerant=True)
    assert list(found.unreachable) == ["postgres"]
    assert (found.standings, found.pending) == ({}, ())
    assert PASSWORD not in str(found.unreachable["postgres"].args)


def test_a_server_that_comes_up_is_waited_for(shop: Shop) -> None:
    shop.table()
    with pytest.raises(UnreachableError):
        shop.open("nowhere", wait_for=0.7).status()


def test_every_public_name_is_there_and_no_other() -> None:
    for name in provision.__all__:
        assert getattr(getattr(provision, name), "__name__", name) == name
    assert dir(provision) == provision.__all__ == sorted(provision.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Projekt'"):
        getattr(provision, "Projekt")  # noqa: B009 (mypy knows that it is not there)
