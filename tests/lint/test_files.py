"""`lint` over plain files: forms of output, reports, what is mended, and what is no sound input."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.servers.command_line import Provision

SQL = """CREATE INDEX by_user ON orders (user_id);
DROP INDEX old_one;
ALTER TABLE orders ADD CONSTRAINT chk CHECK (total >= 0);
"""
MENDED = """CREATE INDEX CONCURRENTLY by_user ON orders (user_id);
DROP INDEX CONCURRENTLY old_one;
ALTER TABLE orders ADD CONSTRAINT chk CHECK (total >= 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT chk;
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("a b.sql").write_text(SQL)
    return Path("a b.sql")


def test_text_names_place_rule_and_fix(file: Path, provision: Provision) -> None:
    ran = provision("lint", "--store", "postgres", file)
    assert ran.code == 1
    assert ran.out.startswith(
        "a b.sql:1:1\n"
        "  error[index-not-concurrent]: CREATE INDEX on orders blocks every write to it until the index is built "
        "(SHARE lock)\n"
        "    fix  CREATE INDEX CONCURRENTLY, outside of a transaction (op.get_context().autocommit_block())\n"
    )
    assert ran.out.endswith("2 errors, 1 warning in 1 file\n")


def test_annotations_have_the_form_of_github(file: Path, provision: Provision) -> None:
    lines = provision("lint", "--store", "postgres", file, "-o", "github").out.split("\n")[:3]
    form = r"::(error|warning) file=a b\.sql,line=\d+,col=\d+,title=[\w-]+::[^\n]+%0A[^\n]+"
    assert [bool(re.fullmatch(form, line)) for line in lines] == [True] * 3


def test_reports_are_read_by_other_programs(file: Path, provision: Provision) -> None:
    assert provision("lint", "--store", "postgres", file, "--junit", "j.xml", "--sarif", "s.json").code == 1
    suite = ElementTree.parse("j.xml").getroot()
    assert (suite.tag, suite.get("tests"), suite.get("failures")) == ("testsuite", "3", "2")
    assert [case.find("failure") is not None for case in suite] == [True, False, True]
    log = json.loads(Path("s.json").read_text())
    assert (log["version"], set(log)) == ("2.1.0", {"$schema", "version", "runs"})
    (run,) = log["runs"]
    rules = [each["id"] for each in run["tool"]["driver"]["rules"]]
    for each in run["results"]:
        assert set(each) == {"ruleId", "ruleIndex", "level", "message", "locations"}
        assert rules[each["ruleIndex"]] == each["ruleId"]
        assert each["level"] in ("error", "warning", "note")
        place = each["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": "a%20b.sql"}
        assert all(isinstance(number, int) and number >= 1 for number in place["region"].values())
        assert each["message"]["text"]


def test_report_without_findings_has_one_case_that_passed(file: Path, provision: Provision) -> None:
    file.write_text("SELECT 1;\n")
    assert provision("lint", "--store", "postgres", file, "--junit", "j.xml").out == "nothing is wrong in 1 file\n"
    assert [len(case) for case in ElementTree.parse("j.xml").getroot()] == [0]


def test_fix_shows_a_diff_and_writes_it_only_when_told(file: Path, provision: Provision) -> None:
    shown = provision("lint", "--store", "postgres", file, "--fix")
    assert "+CREATE INDEX CONCURRENTLY by_user ON orders (user_id);" in shown.err.split("\n")
    assert file.read_text() == SQL
    provision("lint", "--store", "postgres", file, "--fix", "--yes")
    assert file.read_text() == MENDED
    again = provision("lint", "--store", "postgres", file, "--fix", "--yes")
    assert (again.code, again.out) == (0, "nothing is wrong in 1 file\n")


def test_fix_keeps_line_ends_of_windows(file: Path, provision: Provision) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + SQL.replace("\n", "\r\n").encode())
    provision("lint", "--store", "postgres", file, "--fix", "--yes")
    assert file.read_bytes() == b"\xef\xbb\xbf" + MENDED.replace("\n", "\r\n").encode()


def test_fix_leaves_a_transaction_alone(file: Path, provision: Provision) -> None:
    file.write_text(text := f"BEGIN;\n{SQL}COMMIT;\n")
    assert "nothing has one right form" in provision("lint", "--store", "postgres", file, "--fix", "--yes").err
    assert file.read_text() == text


@pytest.mark.parametrize("kind", ["postgres", "clickhouse", "influx", "redis", "weaviate", "arango"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "-- comment",
        "'never closed",
        "$$ open",
        "((((((",
        "🦆 = [",
        "\x00",
        "{",
        "[1]",
        '{"class": 3}',
        ";;;;",
    ],
)
def test_what_is_no_statement_is_no_defect_of_lint(file: Path, kind: str, text: str, provision: Provision) -> None:
    file.write_text(text)
    ran = provision("lint", "--store", kind, file, "-o", "json")
    assert ran.code in (0, 1), ran.out
    assert all(each["line"] >= 1 and each["column"] >= 1 for each in json.loads(ran.out)["findings"])


@pytest.mark.usefixtures("file")
def test_later_files_know_what_earlier_ones_made(provision: Provision) -> None:
    Path("0.sql").write_text("CREATE TABLE orders (id int) PARTITION BY RANGE (id);")
    Path("1.sql").write_text("CREATE INDEX CONCURRENTLY i ON orders (id);")
    found = json.loads(provision("lint", "--store", "postgres", "0.sql", "1.sql", "-o", "json").out)["findings"]
    assert [(each["rule"], each["file"]) for each in found] == [("concurrently-on-partitioned", "1.sql")]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("x.sql",), "usage"),
        (("--store", "postgres"), "usage"),
        (("--store", "oracle", "x.sql"), "unknown-kind"),
        (("--store", "postgres", "missing.sql"), "unreadable-file"),
        (("--store", "postgres", "a b.sql", "--env", "local"), "usage"),
        (("--store", "postgres", "a b.sql", "--junit", "no/such/folder.xml"), "unwritable-file"),
        (("--explain", "nonsense"), "no-such-rule"),
        (("--explain", "../errors"), "no-such-rule"),
    ],
)
@pytest.mark.usefixtures("file")
def test_wrong_command_line_is_told(arguments: tuple[str, ...], code: str, provision: Provision) -> None:
    ran = provision("lint", *arguments)
    assert (ran.code, ran.err.split(":")[0]) == (2, f"error[{code}]")


def test_explain_shows_the_page(provision: Provision) -> None:
    assert provision("lint", "--explain", "index-clock").out.startswith("# index-clock\n")
