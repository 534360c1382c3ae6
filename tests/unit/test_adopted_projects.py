"""The published projects of `make adoption`: pinned, listed in the page, asked for by name."""

from __future__ import annotations

import re

import pytest

from tests.adoption import environments
from tests.adoption.projects import PROJECTS, Adopted, chosen

PAGE = (environments.ROOT / "docs" / "adoption.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("project", PROJECTS, ids=lambda each: each.name)
def test_project_is_pinned_to_exact_versions_without_a_place(project: Adopted) -> None:
    lines = environments.pins(project).read_text(encoding="utf-8").splitlines()
    assert [each for each in lines if not re.fullmatch(r"[\w.-]+==[\w.!+]+", each)] == []
    assert [each for each in lines if each.lower().startswith("provision")] == []


@pytest.mark.parametrize("project", PROJECTS, ids=lambda each: each.name)
def test_project_is_in_the_page_with_the_pinned_version_and_what_it_needed(project: Adopted) -> None:
    [line] = [each for each in PAGE.splitlines() if f"| {project.needed} |" in each and f"| {project.name} |" in each]
    assert f"| {project.package} {environments.version(project)} |" in line
    assert line.count("| equal, ") == 2


def test_pins_and_setups_belong_to_a_project() -> None:
    assert {each.stem for each in environments.PINS.glob("*.txt")} == {each.pins or each.name for each in PROJECTS}
    setups = {each.name for each in (environments.PINS.parent / "setups").glob("*_setup.py")}
    named = {each.store["env_setup"].partition(":")[0] + ".py" for each in PROJECTS if "env_setup" in each.store}
    assert setups == named


def test_ci_takes_three_and_an_unknown_name_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADOPT", "ci")
    assert [each.name for each in chosen()] == ["optuna", "prefect", "mlflow"]
    monkeypatch.setenv("ADOPT", "nova,airflow")
    assert [each.name for each in chosen()] == ["airflow", "nova"]
    monkeypatch.setenv("ADOPT", "nova,airlow")
    with pytest.raises(ValueError, match="ADOPT names airlow; there are all, ci, optuna, "):
        chosen()
