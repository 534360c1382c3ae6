"""`rest`: one request as it is, for what no operation covers; the file says how to tell and how to undo it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from provision.documents.operation import Body, Earlier, Problem, mapping
from provision.model.statements import Fate, Outcome
from provision.stores.weaviate.migrate.compare import differences
from provision.stores.weaviate.migrate.operations.base import Live, WeaviateOperation
from provision.stores.weaviate.names import OWN

_PATH = {
    "type": "string",
    "pattern": "^/v1/[^\\s?#]+(\\?[^\\s#]*)?$",
    "description": "a path such as /v1/schema/Article/shards/x",
}
_REQUEST = {
    **mapping(["method", "path"], method={"enum": ["POST", "PUT", "PATCH", "DELETE"]}, path=_PATH, body={}),
    "description": "a mapping with the method, path and JSON body of a request",
}
_ANSWER = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "description": "a mapping with the `status` and keys of the `body` of an answer",
    "properties": {"status": {"type": "integer", "minimum": 200, "maximum": 499}, "body": {}},
}


class Rest(WeaviateOperation):
    """A body in an answer is compared by the keys that are stated."""

    name = "rest"
    schema = mapping(
        ["request", "probe", "down"],
        request=_REQUEST,
        probe={
            **mapping(["path"], path=_PATH, equals=_ANSWER, differs=_ANSWER),
            "oneOf": [{"required": ["equals"]}, {"required": ["differs"]}],
            "description": "a `path` to read and the answer it `equals` once the request took effect, or `differs`",
        },
        down={**_REQUEST, "description": "the request that undoes it: a mapping with method, path and body"},
    )

    def summary(self, body: Body) -> str:
        return f"{body['request']['method']} {body['request']['path']}"

    def requests(self, body: Body) -> Sequence[tuple[str, str, Any]]:
        request = body["request"]
        return [(request["method"], request["path"].removeprefix("/v1"), request.get("body"))]

    def probe(self, body: Body, live: Live) -> Fate:
        asked = body["probe"]
        path = asked["path"]
        status, answer = live.server.peek(path.removeprefix("/v1"))
        wanted = asked.get("equals", asked.get("differs"))
        unlike = list(differences(wanted, {"status": status, "body": answer}))
        done = ("equals" in asked) != bool(unlike)
        seen = unlike[0].words(f"the answer to GET {path}") if unlike else f"GET {path} answers as the file says"
        return Fate(Outcome.DONE if done else Outcome.NOT_DONE, seen)

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str | None:
        request = body["request"]
        return f"DELETE {request['path']} can lose what is there" if request["method"] == "DELETE" else None

    def inverse(self, body: Body) -> tuple[str, Body]:
        turned = {"equals": "differs", "differs": "equals"}
        probe = {turned.get(key, key): value for key, value in body["probe"].items()}
        return self.name, {"request": body["down"], "probe": probe, "down": body["request"]}

    def problems(self, body: Body) -> Iterable[Problem]:
        for key in ("request", "down"):
            yield from _request_problems(body[key], key)


def _request_problems(request: Mapping[str, Any], key: str) -> Iterable[Problem]:
    path = request["path"]
    if OWN.casefold() in path.casefold():
        yield Problem((key, "path"), f"names that begin with {OWN} are provision's own", "leave them alone")
    parts = path.split("?")[0].strip("/").split("/")
    if request["method"] == "DELETE" and parts[1] == "schema" and len(parts) == 3:
        what = "through an alias the server answers 200 and deletes nothing"
        yield Problem((key, "path"), what, f"write `delete_collection: {{class: {parts[2]}}}`")
