"""GitHub's workflows and the hooks of pre-commit name what is there, pinned, with no more rights than they need."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# The one job that writes: a release.
MAY_WRITE = {("release.yml", "publish"): {"contents": "write"}}


def loaded(path: Path) -> dict[Any, Any]:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def jobs() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path in WORKFLOWS:
        yield from ((path.name, name, job) for name, job in loaded(path)["jobs"].items())


def steps() -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from ((f"{file}: {name}", step) for file, name, job in jobs() for step in job["steps"])


def targets() -> set[str]:
    """The targets of the Makefile."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(VENV)", ".venv")
    return set(re.findall(r"^([\w./-]+):(?!=)", text, re.MULTILINE))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_may_only_read_unless_a_job_says_otherwise(path: Path) -> None:
    assert loaded(path)["permissions"] == {"contents": "read"}
    # YAML reads `on` as true.
    assert "pull_request_target" not in loaded(path)[True]


@pytest.mark.parametrize(("file", "name", "job"), list(jobs()), ids=lambda each: each if isinstance(each, str) else "")
def test_job_has_a_limit_a_fixed_machine_and_no_more_rights(file: str, name: str, job: Mapping[str, Any]) -> None:
    assert job["timeout-minutes"] <= 60
    assert re.fullmatch(r"ubuntu-\d\d\.\d\d", job["runs-on"])
    assert job.get("permissions", {}) == MAY_WRITE.get((file, name), {})
    assert {*([job["needs"]] if "needs" in job else [])} <= set(loaded(ROOT / ".github/workflows" / file)["jobs"])


def test_actions_are_githubs_own_at_an_exact_version() -> None:
    used = {step["uses"] for _, step in steps() if "uses" in step}
    assert used, "no action is used at all"
    assert [each for each in sorted(used) if not re.fullmatch(r"actions/[\w-]+@v\d+\.\d+\.\d+", each)] == []


def test_one_action_has_one_version_everywhere() -> None:
    used = {step["uses"] for _, step in steps() if "uses" in step}
    assert len({each.split("@")[0] for each in used}) == len(used)


def test_every_make_target_of_a_step_is_there() -> None:
    which = loaded(ROOT / ".github/workflows/ci.yml")["jobs"]["dependencies"]["strategy"]["matrix"]["which"]
    for place, step in steps():
        for line in re.findall(
            r"^make (.+)$", step.get("run", "").replace("{{ matrix.which }}", "{{matrix.which}}"), re.MULTILINE
        ):
            named = [each for each in line.split() if "=" not in each]
            each_of = [part.replace("${{matrix.which}}", each) for each in which for part in named]
            assert set(each_of) <= targets(), f"{place}: {line}"


def test_every_script_and_module_of_a_step_is_there() -> None:
    for place, step in steps():
        for script in re.findall(r"\bsh (\S+\.sh)", step.get("run", "")):
            assert (ROOT / script).is_file(), f"{place}: {script}"
        for module in re.findall(r"python -m ((?:tests|docs)\.\S+)", step.get("run", "")):
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), f"{place}: {module}"


def test_no_step_puts_what_strangers_write_into_a_shell() -> None:
    for place, step in steps():
        given = re.findall(r"\$\{\{\s*([\w.-]+)", step.get("run", ""))
        assert [each for each in given if not each.startswith("matrix.")] == [], place


def test_check_runs_on_every_python_that_the_project_supports() -> None:
    pythons = loaded(ROOT / ".github/workflows/ci.yml")["jobs"]["check"]["strategy"]["matrix"]["python"]
    assert pythons == ["3.11", "3.12", "3.13", "3.14"]
    assert PROJECT["requires-python"] == f">={pythons[0]}"


def test_servers_that_are_required_are_known_to_the_tests() -> None:
    from tests.servers.required import NAMES

    required = loaded(ROOT / ".github/workflows/ci.yml")["jobs"]["servers"]["env"]["PROVISION_TEST_REQUIRE"]
    assert sorted(required.split(",")) == sorted(NAMES)


def hooks() -> dict[str, Mapping[str, Any]]:
    [repo] = loaded(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repo["repo"] == "local", "a hook from elsewhere is fetched"
    return {each["id"]: each for each in repo["hooks"]}


def test_hooks_run_what_the_lint_type_and_arch_targets_run() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(BIN)", ".venv/bin")
    programs = [each["entry"].split(" --")[0] for each in hooks().values() if each["language"] == "system"]
    assert programs == [".venv/bin/ruff format", ".venv/bin/ruff check", ".venv/bin/mypy", ".venv/bin/lint-imports"]
    assert [each for each in programs if f"\t{each}" not in text] == []


@pytest.mark.parametrize(
    ("subject", "good"),
    [
        ("postgres: what begins a step is planned once", True),
        ("influx, weaviate: a version without numbers is asked for what it can", True),
        ("release: 0.2.0\n\nWhy.", True),
        ("Merge branch 'rooms' into dayone", True),
        ('Revert "core: refuse plans with two directions"', True),
        ("core: " + "x" * 66, True),
        ("core: " + "x" * 67, False),
        ("Fixed a bug", False),
        ("core:", False),
        ("WIP", False),
        ("core: short\n" + "x" * 100, True),
    ],
)
def test_subject_of_a_commit_is_an_area_and_what_changed(subject: str, good: bool) -> None:
    # As pre-commit does with pygrep: the file as a whole, and --negate fails when nothing matches.
    hook = hooks()["commit-subject"]
    assert hook["args"] == ["--negate", "--multiline"]
    assert bool(re.compile(hook["entry"], re.DOTALL | re.MULTILINE).search(subject)) is good
