"""The notes of a release come from the changelog, and only when tag, pyproject.toml and changelog name one version."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.generate.notes import Disagreement, main, notes, section

CHANGELOG = """# Changelog

## Unreleased

### Added
- Something to come.

## 0.2.0 - 2026-01-31

### Added
- A thing.

## 0.1.0 - 2025-12-24

### Fixed
- Another.
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "0.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    return tmp_path


@pytest.mark.parametrize("tag", ["v0.2.0", "0.2.0"])
def test_notes_are_the_section_of_the_version_and_no_other(root: Path, tag: str) -> None:
    assert notes(tag, root) == "### Added\n- A thing.\n"


def test_last_section_ends_with_the_file() -> None:
    assert section(CHANGELOG, "0.1.0") == "### Fixed\n- Another.\n"


def test_tag_of_another_version_than_the_project_is_refused(root: Path) -> None:
    with pytest.raises(Disagreement, match=r"^the tag says 0\.1\.0, pyproject\.toml 0\.2\.0$"):
        notes("v0.1.0", root)


@pytest.mark.parametrize("heading", ["## 0.2.0\n", "## 0.2.01 - 2026-01-31\n", "## Unreleased\n"])
def test_version_without_a_dated_heading_is_refused(root: Path, heading: str) -> None:
    (root / "CHANGELOG.md").write_text(CHANGELOG.replace("## 0.2.0 - 2026-01-31\n", heading))
    with pytest.raises(Disagreement, match=r"^CHANGELOG\.md has no heading `## 0\.2\.0 - YYYY-MM-DD`$"):
        notes("v0.2.0", root)


def test_version_of_which_nothing_is_said_is_refused() -> None:
    with pytest.raises(Disagreement, match=r"^CHANGELOG\.md says nothing of 1\.0\.0$"):
        section("## 1.0.0 - 2026-01-31\n\n## 0.9.0 - 2026-01-30\n- x\n", "1.0.0")


def test_command_prints_why_there_is_no_release(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["v99.0.0"]) == 1
    assert capsys.readouterr().err.startswith("no release: the tag says 99.0.0, pyproject.toml ")
    assert main([]) == 2
