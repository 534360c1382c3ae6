"""Reports of every rule at once: SARIF by its own schema, JUnit by its element names, annotations by their form."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import jsonschema_rs
import pytest

from provision.lint.names import COMMON
from tests.lint import pages
from tests.servers.command_line import Provision

SCHEMA = Path(__file__).parents[1] / "fixtures" / "sarif-2.1.0.json"
KINDS = ("postgres", "clickhouse", "influx", "redis", "weaviate", "arango")
# What GitHub takes: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
ANNOTATION = re.compile(r"::(error|warning) file=([^,]+),line=(\d+),col=(\d+),title=([\w-]+)::(.+)")


def validator() -> Any:
    """SARIF's own schema; a stray bracket in the pattern of languages is no regular expression to a strict reader."""
    text = SCHEMA.read_text(encoding="utf-8").replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$")
    schema = json.loads(text)
    return jsonschema_rs.validator_for(schema, validate_formats=True)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Path]]:
    """Kind → a file for each of its rules that breaks it, with names that a report has to escape."""
    monkeypatch.chdir(tmp_path)
    found: dict[str, list[Path]] = {kind: [] for kind in KINDS}
    for each in pages.every():
        path = Path(f"{each.kind}, 100% ü&<'{each.rule.name}'>.txt")
        path.write_text(pages.example(each.rule.name, "Instead of"), encoding="utf-8")
        found[each.kind].append(path)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_reports_of_every_rule_are_sound(kind: str, files: dict[str, list[Path]], provision: Provision) -> None:
    ran = provision(
        *("lint", "--store", kind, *files[kind], "--sarif", "s.json", "--junit", "j.xml", "-o", "github", "--complete")
    )
    log = json.loads(Path("s.json").read_text(encoding="utf-8"))
    validator().validate(log)

    results = log["runs"][0]["results"]
    known = {*(each.rule.name for each in pages.every() if each.kind == kind), *COMMON}
    assert {each["ruleId"] for each in results} <= known
    uris = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in results}
    found = {unquote(each) for each in uris}
    # As one history, some of the files mend what others lack.
    assert len(files[kind]) - 3 <= len(found)
    assert found <= {str(each) for each in files[kind]}

    suite = ElementTree.parse("j.xml").getroot()
    assert (suite.tag, {each.tag for each in suite}) == ("testsuite", {"testcase"})
    assert int(suite.get("tests", "")) == len(suite) == len(results)
    assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure")) == ran.out.count("::error ")
    assert {each.get("classname") for each in suite} == found
    assert all(each.get("name") for each in suite)

    lines = [line for line in ran.out.split("\n") if line.startswith("::")]
    parts = [ANNOTATION.fullmatch(line) for line in lines]
    assert len(parts) == len(results)
    assert all(parts)
    assert {_unescaped(each[2]) for each in parts if each} == found


def _unescaped(value: str) -> str:
    for sign, code in ((":", "%3A"), (",", "%2C"), ("\n", "%0A"), ("\r", "%0D"), ("%", "%25")):
        value = value.replace(code, sign)
    return value


def test_schema_refuses_a_log_that_is_none() -> None:
    assert not validator().is_valid({"version": "2.1.0", "runs": [{"tool": {}}]})
    assert not validator().is_valid({"version": "2.0.0", "runs": []})
