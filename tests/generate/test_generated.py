"""What the generators write passes all that `make check` asks of it, and its own tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.generate.conftest import CHECKS, COMMAND, OPERATION, STORES, Run

MODULE = COMMAND.replace("-", "_")
TESTS = (
    *(f"tests/stores/{store}/test_{OPERATION}.py" for store in STORES),
    *(f"tests/unit/validate/test_{check}.py" for check in CHECKS.values()),
    f"tests/cli/test_{MODULE}.py",
)
# Those of the tests that know every command, every schema and every bound of the source.
PAGES = "tests/cli/test_docs_pages.py"
KNOWING = (
    f"{PAGES}::test_commands_page_is_fresh",
    f"{PAGES}::test_every_command_has_help_and_an_example_of_itself",
    f"{PAGES}::test_every_example_is_a_right_command_line",
    f"{PAGES}::test_list_of_commands_and_their_own_help_agree",
    "tests/cli/test_help.py::test_help_lists_every_command_in_its_group_on_one_line",
    "tests/house/test_bounds.py",
    "tests/unit/test_documents.py::test_every_keyword_of_the_schemas_has_words",
)


@pytest.mark.parametrize(
    "tool",
    [("ruff", "format", "--check", "."), ("ruff", "check", "."), ("mypy",)],
    ids=["format", "lint", "types"],
)
def test_tool_has_nothing_to_say(run: Run, tool: tuple[str, ...]) -> None:
    ran = run("-m", *tool)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_arrows_between_the_packages_still_point_one_way(run: Run) -> None:
    ran = run("-c", "from importlinter.cli import lint_imports_command as lint; lint()")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_generated_tests_pass(run: Run, copy: Path) -> None:
    assert all((copy / path).is_file() for path in TESTS)
    ran = run("-m", "pytest", "-n", "0", *TESTS)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "skipped" not in ran.stdout


def test_tests_that_know_everything_know_it_too(run: Run) -> None:
    ran = run("-m", "pytest", "-n", "0", *KNOWING)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("store", STORES)
def test_operation_is_in_the_schema_that_is_printed(run: Run, store: str) -> None:
    assert f'"{OPERATION}"' in run("-m", "provision.cli.main", "schema", store).stdout


def test_command_is_listed_in_its_group_and_runs(run: Run) -> None:
    listed = run("-m", "provision.cli.main", "--help").stdout
    assert f"  {COMMAND} " in listed[listed.index("Data:") : listed.index("Engines:")]
    assert run("-m", "provision.cli.main", COMMAND).stdout.splitlines()[0] == "postgres    postgres    alembic"
