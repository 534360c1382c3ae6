"""D2: the ArangoDB part of the document as it has it, and beside it what stands here for it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.kinds import build
from provision.model import StoreOptions
from provision.stores.arango.store import ArangoStore
from tests.servers.required import not_run
from tests.stores.arango.moves import move, opened
from tests.stores.arango.raw import Raw
from tests.vfr import seed

ROOT = Path(__file__).parents[3]
MADE = re.compile(r"^db\.(_create|_createEdgeCollection)\(\"(\w+)\"\);$", re.MULTILINE)
INDEXED = re.compile(r"^db\.(\w+)\.ensureIndex\((\{.*\})\);$", re.MULTILINE)


@pytest.fixture
def store(raw: Raw) -> Iterator[ArangoStore]:
    made = build(StoreOptions("arango", "arango", "vfr", ROOT / "arango", ROOT))
    assert isinstance(made, ArangoStore)
    yield opened(made, raw.url)
    made.close()


def _block() -> str:
    return seed.block("// ArangoDB collections for probabilistic relationships", "```", seed.D2)


def test_64_block_of_the_document_is_no_javascript(tmp_path: Path) -> None:
    text = _block()
    if (node := shutil.which("node")) is None:
        not_run("node", "apt-get install nodejs")
    script = tmp_path / "block.js"
    script.write_text(text)

    checked = subprocess.run([node, "--check", str(script)], capture_output=True, text=True, check=False)

    assert checked.returncode != 0
    assert "SyntaxError: Unexpected token ':'" in checked.stderr
    script.write_text(text.partition("// Example node document structure")[0])
    assert subprocess.run([node, "--check", str(script)], capture_output=True, check=False).returncode == 0


def test_64_document_makes_hash_indexes_and_no_graph(raw: Raw) -> None:
    raw.make()
    text = _block()
    for method, name in MADE.findall(text):
        raw.ask("POST", "/_api/collection", {"name": name, "type": 3 if "Edge" in method else 2})
    for collection, definition in INDEXED.findall(text):
        sent = json.loads(re.sub(r"(\w+):", r'"\1":', definition))
        raw.ask("POST", f"/_api/index?collection={collection}", sent)

    kinds = {name: [each["type"] for each in raw.indexes(name).values()] for name in raw.collections()}
    assert kinds == {
        "probabilistic_nodes": ["hash"],
        "probability_dependencies": ["hash"],
        "confidence_propagation": [],
    }
    assert raw.collections()["confidence_propagation"] == 2  # no edges, so that nothing is propagated along them
    assert raw.ask("GET", "/_api/gharial")["graphs"] == []


def test_64_ours_makes_persistent_indexes_and_a_graph(store: ArangoStore, raw: Raw) -> None:
    move(store)

    assert {each["type"] for name in raw.collections() for each in raw.indexes(name).values()} == {"persistent"}
    assert raw.collections()["confidence_propagation"] == 3
    [graph] = raw.ask("GET", "/_api/gharial")["graphs"]
    assert graph["name"] == "probability_graph"
