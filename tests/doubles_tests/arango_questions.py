"""Everything that `provision` asks of an ArangoDB, once well and once refused, and what the double answers to it.

`arango_answers.json` keeps the double's answers: status, errorNum and the keys at every depth. The double is held to
the file here, a real server in tests/containers, so that neither needs the other. After a change:
`python -m tests.doubles_tests.arango_questions` writes the file from the double.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.doubles_tests.exchange import keys
from tests.doubles_tests.wire import Wire

FILE = Path(__file__).with_name("arango_answers.json")
DATABASE = "questions"
Answer = Mapping[str, Any]
"""`asked` in words, `status`, `errorNum` (null for none) and `keys`, sorted."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request to the database. `{name}` in path and headers stands for what an earlier answer gave under that name.

    `gives` is a name and the key of the answer that it stands for. `anywhere`: the path is not of the database. Of an
    answer that is the server's own account of its work, only the keys down to `depth` are compared.
    """

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    gives: Mapping[str, str] = field(default_factory=dict)
    anywhere: bool = False
    depth: int = 99


_RULE = {"type": "object", "required": ["share"], "properties": {"share": {"type": "number", "maximum": 1}}}
_POSITION = {"type": "persistent", "name": "by_position", "fields": ["position"], "unique": True}
_ALL = {"query": "FOR d IN @@c SORT d._key RETURN d", "bindVars": {"@c": "log"}}
# Two of them are longer than three characters; were bytes counted, a third would wait behind an id.
_LONG = {
    "query": "FOR each IN @v "
    "FILTER LENGTH(FLATTEN([each], 99)[* FILTER IS_STRING(CURRENT) AND LENGTH(CURRENT) > 3]) > 0 RETURN each",
    "bindVars": {"v": ["äöü", "äöüß", 12345, [["abc"], ["abcd"]]]},
    "batchSize": 2,
}
_EDGES = {"collection": "links", "from": ["nodes"], "to": ["nodes"]}
_WIDER = {"collection": "links", "from": ["nodes", "log"], "to": ["nodes"]}
_VIEW = {"name": "seen", "type": "arangosearch", "links": {"nodes": {"includeAllFields": True}}}

DATABASES = (
    Question("GET", "/_db/nowhere/_api/version", anywhere=True),
    Question("POST", "/_db/_system/_api/database", {"name": DATABASE}, anywhere=True),
    Question("POST", "/_db/_system/_api/database", {"name": DATABASE}, anywhere=True),
    Question("GET", "/_api/version"),
    Question("GET", "/_admin/server/mode"),
    Question("GET", f"/_api/user/root/database/{DATABASE}"),
)
COLLECTIONS = (
    Question("GET", "/_api/collection/log"),
    Question("POST", "/_api/collection", {"name": "log", "waitForSync": True, "numberOfShards": 1}),
    Question("POST", "/_api/collection", {"name": "log"}),
    Question("POST", "/_api/collection", {"name": "1 no name"}),
    Question("GET", "/_api/collection/log/properties"),
    Question("GET", "/_api/collection/nowhere/properties"),
    Question("POST", "/_api/collection", {"name": "nodes", "schema": {"rule": _RULE, "level": "strict"}}),
    Question("GET", "/_api/collection/nodes/properties"),
    Question("POST", "/_api/collection", {"name": "broken", "schema": {"rule": {"type": "nonsense"}}}),
    Question("PUT", "/_api/collection/nodes/properties", {"waitForSync": True}),
    Question("POST", "/_api/collection", {"name": "links", "type": 3}),
    Question("GET", "/_api/collection?excludeSystem=true"),
)
INDEXES = (
    Question("POST", "/_api/index?collection=log", _POSITION),
    Question("POST", "/_api/index?collection=log", _POSITION),
    Question("POST", "/_api/index?collection=log", {**_POSITION, "fields": ["other"]}),
    Question("POST", "/_api/index?collection=nowhere", _POSITION),
    Question("POST", "/_api/index?collection=nodes", {"type": "persistent", "fields": ["share"]}, gives={"id": "id"}),
    Question("GET", "/_api/index?collection=nodes&withHidden=false"),
    Question("DELETE", "/_api/index/{id}"),
    Question("DELETE", "/_api/index/{id}"),
)
DOCUMENTS = (
    Question("POST", "/_api/document/log?waitForSync=true", {"_key": "a", "position": 1}, gives={"first": "_rev"}),
    Question("POST", "/_api/document/log?waitForSync=true", {"_key": "a", "position": 2}),
    Question("POST", "/_api/document/log?waitForSync=true", {"_key": "b", "position": 1}),
    Question("POST", "/_api/document/nowhere", {"_key": "a"}),
    Question("GET", "/_api/document/log/a"),
    Question("GET", "/_api/document/log/none"),
    Question("PUT", "/_api/document/log/a?waitForSync=true", {"position": 3}, headers={"if_match": "{first}"}),
    Question("PUT", "/_api/document/log/a?waitForSync=true", {"position": 4}, headers={"if_match": "{first}"}),
    Question("POST", "/_api/document/nodes", {"_key": "bad", "share": 2}),
    Question("POST", "/_api/document/nodes", [{"_key": "x", "share": 1}, {"_key": "x", "share": 0}, {"_key": "y"}]),
    Question("PUT", "/_api/document/nodes?onlyget=true", ["x", "none"]),
    Question("POST", "/_api/document/links", {"_from": "nodes/x"}),
    Question("POST", "/_api/document/links", {"_key": "e", "_from": "nodes/x", "_to": "nodes/x"}),
    Question("DELETE", "/_api/document/log?waitForSync=true", ["a", "none"]),
)
QUERIES = (
    Question("POST", "/_api/document/log", [{"_key": str(each), "position": each} for each in (5, 6, 7)]),
    Question("POST", "/_api/cursor", {**_ALL, "batchSize": 2}, gives={"cursor": "id"}, depth=1),
    Question("POST", "/_api/cursor/{cursor}", depth=1),
    Question("POST", "/_api/cursor/{cursor}", depth=1),
    Question("POST", "/_api/cursor", {**_ALL, "batchSize": 1}, gives={"unread": "id"}, depth=1),
    Question("DELETE", "/_api/cursor/{unread}"),
    Question("DELETE", "/_api/cursor/{unread}"),
    Question("POST", "/_api/cursor", {"query": "RETURN DATE_NOW()"}, depth=1),
    Question("POST", "/_api/cursor", {"query": "FOR d IN @@c RETURN d", "bindVars": {"@c": "nowhere"}}, depth=1),
    Question("POST", "/_api/cursor", _LONG, depth=1),
    Question("POST", "/_api/cursor", {"query": "RETURN RETURN"}, depth=1),
    Question("POST", "/_api/cursor", {"query": "RETURN @missing"}, depth=1),
    Question("POST", "/_api/explain", _ALL, depth=1),
    Question("GET", "/_api/query/current"),
    Question("DELETE", "/_api/query/123456"),
)
GRAPHS = (
    Question("GET", "/_api/gharial/walk"),
    Question("POST", "/_api/gharial?waitForSync=true", {"name": "walk", "edgeDefinitions": [_EDGES]}),
    Question("POST", "/_api/gharial?waitForSync=true", {"name": "walk", "edgeDefinitions": [_EDGES]}),
    Question("GET", "/_api/gharial/walk"),
    Question("GET", "/_api/gharial"),
    Question("PUT", "/_api/gharial/walk/edge/links", _WIDER),
    Question("POST", "/_api/gharial/walk/edge", _EDGES),
    Question("POST", "/_api/gharial/walk/vertex", {"collection": "lonely"}),
    Question("DELETE", "/_api/gharial/walk/vertex/lonely?dropCollection=false"),
    Question("DELETE", "/_api/gharial/walk/edge/links?dropCollections=false"),
    Question("DELETE", "/_api/gharial/walk?dropCollections=false"),
    Question("DELETE", "/_api/gharial/walk?dropCollections=false"),
)
SEARCH = (
    Question("POST", "/_api/analyzer", {"name": "own", "type": "identity"}),
    Question("POST", "/_api/analyzer", {"name": "own", "type": "norm", "properties": {"locale": "en"}}),
    Question("GET", "/_api/analyzer/own"),
    Question("GET", "/_api/analyzer/none"),
    Question("DELETE", "/_api/analyzer/own"),
    Question("DELETE", "/_api/analyzer/own"),
    Question("GET", "/_api/view/seen/properties"),
    Question("POST", "/_api/view", _VIEW),
    Question("POST", "/_api/view", _VIEW),
    Question("GET", "/_api/view/seen/properties"),
    Question("GET", "/_api/view"),
    Question("DELETE", "/_api/view/seen"),
    Question("DELETE", "/_api/view/seen"),
)
# What the double does not pretend to have.
KNOWN = {"DELETE /_api/query/123456": "no query of the double runs long enough to be ended"}
ENDS = (
    Question("DELETE", "/_api/collection/links"),
    Question("DELETE", "/_api/collection/links"),
    Question("DELETE", f"/_db/_system/_api/database/{DATABASE}", anywhere=True),
    Question("DELETE", f"/_db/_system/_api/database/{DATABASE}", anywhere=True),
)
QUESTIONS = (*DATABASES, *COLLECTIONS, *INDEXES, *DOCUMENTS, *QUERIES, *GRAPHS, *SEARCH, *ENDS)


def answers(wire: Wire, questions: Sequence[Question] = QUESTIONS) -> list[Answer]:
    """What a server without the database answers to each in turn."""
    given: dict[str, str] = {}
    return [_asked(wire, each, given) for each in questions]


def differences(ours: Sequence[Answer], theirs: Sequence[Answer]) -> Iterator[str]:
    """What the server answers otherwise than the double did, a line for each question that is not of KNOWN."""
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True), 1):
        found = [
            f"{name} {other[name]}, the double's is {one[name]}"
            for name in ("status", "errorNum")
            if one[name] != other[name]
        ]
        found += [f"the server alone has {each}" for each in other["keys"] if each not in one["keys"]]
        found += [f"the double alone has {each}" for each in one["keys"] if each not in other["keys"]]
        if found and one["asked"] not in KNOWN:
            yield f"{number} {one['asked']}: {'; '.join(found)}"


def kept() -> list[Answer]:
    """The double's answers, as the file has them."""
    found: list[Answer] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def _asked(wire: Wire, question: Question, given: dict[str, str]) -> Answer:
    path = question.path if question.anywhere else f"/_db/{DATABASE}{question.path}"
    headers = {name: text.format(**given) for name, text in question.headers.items()}
    got = wire.send(question.method, path.format(**given), question.body, **headers)
    given |= {name: str(got.body[key]) for name, key in question.gives.items()}
    number = got.body.get("errorNum") if isinstance(got.body, dict) else None
    asked = f"{question.method} {question.path}"
    # Indexes are listed by their ids, too.
    there = {re.sub(r"/\d+", "/N", each) for each in keys(got.body) if each.count(".") <= question.depth}
    return {"asked": asked, "status": got.status, "errorNum": number, "keys": sorted(there)}


if __name__ == "__main__":
    from tests.doubles.arango import arango_double

    with arango_double() as url:
        lines = ",\n".join(json.dumps(each) for each in answers(Wire(url)))
    FILE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
