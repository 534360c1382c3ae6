"""The documentation says what the code does: commands, error codes, keys, links, examples."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.core import TyperGroup

from provision import errors, kinds
from provision.cli.commands import COMMANDS
from provision.cli.main import cli
from provision.cli.render import backfills as render_backfills
from provision.cli.render import commutes as render_commutes
from provision.cli.render import local as render_local
from provision.cli.render import verify as render_verify
from provision.core.audit import IllegalEntry, Rule
from provision.flows.backfill_standing import BackfillStatus
from provision.flows.commutes import BranchConflict, Commuting
from provision.flows.verify import LedgerReport
from provision.model import EventKind, Revision
from provision.model.backfills import Backfill
from provision.model.plans import ObjectDigests, PlannedStep, SavedPlan
from provision.settings import check
from provision.stores.clickhouse.server import ServerRefused
from provision.wiring import saved_plans as plans

if TYPE_CHECKING:
    from tests.servers.command_line import Provision

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
# Raised with a code made of parts, or with one that another error brought along; what they come to is listed here.
MADE = {"unknown-key": 2, "unknown-store": 2}


def every_command() -> Iterator[tuple[str, Any]]:
    for name in COMMANDS:
        command = cli.get_command(None, name)
        yield f"provision {name}", command
        if isinstance(command, TyperGroup):
            for each, inner in command.commands.items():
                yield f"provision {name} {each}", inner


@cache
def raised() -> frozenset[tuple[str, int]]:
    """Every code that the source raises, with its exit code."""
    return frozenset(_raised())


def _raised() -> Iterator[tuple[str, int]]:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "provision").rglob("*.py")}
    classes = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type)} | {
        "ServerRefused": ServerRefused
    }
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name in classes:
                yield from _fixed(node, classes[node.name])
            if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name):
                kind = classes.get(node.func.id)
                if (kind is not None and "__init__" not in vars(kind)) or kind is errors.ProvisionError:
                    yield from ((code, kind.exit_code) for code in _texts(node.args[0]))


def _fixed(node: ast.ClassDef, kind: type) -> Iterator[tuple[str, int]]:
    """The code that a class with its own constructor gives itself."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "super().__init__" and call.args:
            yield from ((code, kind.exit_code) for code in _texts(call.args[0]))


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def documented() -> dict[str, str]:
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| ([\d or]+) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    assert len(rows) == len({code for code, *_ in rows}), "a code is listed twice"
    return {code: exits for code, exits, *_ in rows}


def test_every_error_code_is_documented_and_no_other() -> None:
    assert sorted({code for code, _ in raised()} | MADE.keys()) == sorted(documented())


def test_every_error_code_is_documented_with_its_exit_code() -> None:
    exits: dict[str, set[int]] = {}
    for code, number in (*raised(), *MADE.items()):
        exits.setdefault(code, set()).add(number)
    wanted = {code: " or ".join(str(number) for number in sorted(numbers)) for code, numbers in exits.items()}
    assert documented() == wanted


def test_commands_page_is_fresh() -> None:
    spec = importlib.util.spec_from_file_location("generate_commands", DOCS / "generate_commands.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / "commands.md").read_text(encoding="utf-8") == module.page(), "run docs/generate_commands.py"


@pytest.mark.parametrize(("path", "command"), list(every_command()), ids=str)
def test_every_command_has_help_and_an_example_of_itself(path: str, command: Any) -> None:
    assert command.help
    assert path in (command.epilog or "")
    # Two columns are before it on a terminal of 80.
    assert max(map(len, command.epilog.splitlines())) <= 78, path
    for parameter in command.params:
        assert parameter.help, f"{path} {parameter.name} says nothing"


@pytest.mark.parametrize(("path", "command"), list(every_command()), ids=str)
def test_every_example_is_a_right_command_line(path: str, command: Any) -> None:
    """Every one is read to its end, and nothing is run."""
    lines = [shlex.split(line)[1:] for line in command.epilog.splitlines() if line.strip().startswith("provision ")]
    assert lines, path
    root = cli.make_context("provision", [], resilient_parsing=True)
    for words in lines:
        found, rest = cli, words[: words.index(">")] if ">" in words else words
        while isinstance(found, TyperGroup):
            _, found, rest = found.resolve_command(root, rest)
        assert found is not None, words
        assert found.make_context(path, rest).args == []  # it raises what is wrong with them


def test_list_of_commands_and_their_own_help_agree() -> None:
    for name, entry in COMMANDS.items():
        told = cli.get_command(None, name).help
        assert told.split()[0] == entry.line.split()[0], f"{name}: {told!r} and {entry.line!r}"


@pytest.mark.parametrize(
    "page",
    sorted(str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *DOCS.glob("*.md"), *DOCS.glob("adr/*.md"))),
)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]*)(?:#([\w-]+))?\)", text):
        path, anchor = target
        if path.startswith("http"):
            continue
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), f"{page}: {path}"
        if anchor:
            titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-") for title in titles]
            assert anchor in slugs, f"{page}: {path}#{anchor}"


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    for page in DOCS.glob("*.md"):
        listed = f"| [{page.name}]({page.name}) |" in index or f"| `{page.name}` |" in index
        assert page.name == "README.md" or listed, page.name


def test_every_key_of_the_project_file_is_documented() -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    keys = {*check.PROJECT_KEYS, *check.STORE_KEYS, *check.PLACE_KEYS, "embedded"}
    for key in keys | {key for each in kinds.every() for key in each.keys}:
        assert re.search(rf"`(?:STORE\.)?{key}`|`{key} ", text), key


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_examples_of_commands_exist(page: str) -> None:
    commands = dict(every_command())
    for line in re.findall(r"^provision ([a-z-][^#\n]*)", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE):
        words = line.split()
        both = commands.get(f"provision {' '.join(words[:2])}")
        command = both or (cli if words[0].startswith("-") else commands.get(f"provision {words[0]}"))
        assert command is not None, line
        known = {name for each in command.params for name in each.opts} | {"--help"}
        assert {word for word in words if re.fullmatch(r"--?[a-z][\w-]*", word)} <= known, line


def examples() -> list[Any]:
    blocks = re.findall(r"```json\n(.*?)```", (DOCS / "json.md").read_text(encoding="utf-8"), re.DOTALL)
    return [json.loads(block) for block in blocks]


def keys(value: object, path: str = "") -> set[str]:
    """Every path of keys inside a document; the entries of a list count as one."""
    if isinstance(value, dict):
        return {f"{path}.{key}" for key in value} | {
            inner for key, each in value.items() for inner in keys(each, f"{path}.{key}")
        }
    return {inner for each in value for inner in keys(each, f"{path}[]")} if isinstance(value, list) else set()


def _never_run() -> BackfillStatus:
    return BackfillStatus(Backfill("a", "postgres", "", "", "backfills/a.yaml", {}), None, "not_begun", complete=False)


def _ledger_report() -> dict[str, object]:
    entry = IllegalEntry("redis/1", 1, 1, EventKind.AT, Rule.TRANSITION, "it was pending")
    return render_verify.as_json(("vfr", "local"), [LedgerReport("redis", 1, 1, 1, (entry,))], 1)


@pytest.mark.usefixtures("small")
def test_json_documents_have_the_keys_of_the_page(provision: Provision) -> None:
    error, up, status, plan, saved, commuting, ledgers, engines, backfills, doctor, _lint = examples()
    printed = {
        name: json.loads(provision(*name.split(), "--output", "json").out)
        for name in (
            "up nowhere",
            "plan",
            "up --allow-destructive",
            "status",
            "doctor",
            "down --steps 1 --allow-destructive",
        )
    }
    assert keys(printed["up nowhere"]) == keys(error)
    assert keys(printed["plan"]) == keys(plan)
    held = {".held[].id", ".held[].waits_for"}
    assert keys(printed["up --allow-destructive"]) == keys(up) - held
    reverted = {path.replace(".applied", ".reverted") for path in keys(up) - held}
    assert keys(printed["down --steps 1 --allow-destructive"]) == reverted
    assert keys(printed["status"]) == keys(status)
    assert keys(printed["doctor"]) == keys(doctor)
    assert keys(ledgers) == keys(_ledger_report())
    cursor = {"[].cursor.block", "[].cursor.to"}
    revision = Revision("postgres", "0008", "", "", "", "")
    conflict = BranchConflict("postgres", revision, revision, "", unknown=False)
    judged = Commuting("", "", {"postgres": (("postgres/0008",), ("postgres/0008",))}, (conflict,), ())
    assert keys(commuting) == keys(render_commutes.as_json("shop", judged, 1))
    step = PlannedStep("postgres/0004", "", "", ())
    written = plans.document(SavedPlan("", "", (step,), {}, {}, {}, {"postgres": ObjectDigests((), {})}))
    assert (set(saved), set(saved["steps"][0])) == (set(written), set(written["steps"][0]))
    assert set(saved["objects"]["postgres"]) == set(written["objects"]["postgres"])
    assert keys(backfills) == keys([render_backfills.as_json(_never_run())]) | cursor
    assert keys({"engines": [dict.fromkeys(render_local.KEYS)]}) == keys(engines)


@pytest.mark.parametrize("document", sorted((ROOT / "redis").glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_documents_name_their_schema(document: Path) -> None:
    first = document.read_text(encoding="utf-8").split("\n", 1)[0]
    named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert named is not None
    assert (document.parent / named[1]).resolve() == DOCS / "schemas" / "redis.json"
