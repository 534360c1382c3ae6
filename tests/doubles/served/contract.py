"""A vendor's OpenAPI document, and whether a request or an answer keeps to it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

from openapi_core.datatypes import RequestParameters
from openapi_core.validation.request.exceptions import ParameterValidationError
from werkzeug.datastructures import ImmutableMultiDict

from tests.doubles.served.messages import Answer, Request
from tests.doubles.served.validators import validators

SPECS = Path(__file__).resolve().parents[4] / "shared" / "specs"
REMEMBERED = 2000
_PLAIN = {"host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length"}
_PLAIN |= {"authorization", "x-arango-driver"}
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class MissingDocument(Exception):
    """Raised when the vendor's document is not on this machine; the text says which file."""


def folder() -> Path:
    """The folder of the vendors' documents."""
    return Path(os.environ.get("PROVISION_SPECS", SPECS))


def document(name: str) -> dict[str, Any]:
    """The OpenAPI document of that file name. Raises MissingDocument."""
    path = folder() / name
    if not path.is_file():
        raise MissingDocument(f"not run: {path} is missing")
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


@dataclass(frozen=True, slots=True)
class Place:
    """An operation of the document: the path as it is written there, and what the request put for its braces."""

    template: str
    method: str
    variables: Mapping[str, str]


class Contract:
    """The document, loaded once; each operation is looked up once. Safe to use from several threads."""

    def __init__(self, loaded: Mapping[str, Any]) -> None:
        self.paths: Mapping[str, Any] = loaded["paths"]
        self._requests, self._answers = validators(loaded)
        self._known: dict[Hashable, list[str]] = {}
        self._tree: dict[str, Any] = {}
        for template in self.paths:
            self._plant(template)

    def place(self, method: str, path: str) -> Place | None:
        """The operation that a request asks for, or None where the document has no such path. A path without that
        method is found with the method as it was asked for."""
        for template, variables in self._walk(self._tree, path.strip("/").split("/")):
            if method.lower() in self.paths[template]:
                return Place(template, method.lower(), variables)
        return None

    def request_problems(self, request: Request, place: Place) -> list[str]:
        """What the document says against a request, in words; logins are the server's own business."""
        # The part of the headers that a document may speak of.
        told = tuple(sorted(request.headers.items())) if request.headers.keys() - _PLAIN else request.kind
        asked = request.method, request.path, str(request.repeated), request.body, told
        return self._remembered(asked, lambda: self._request_problems(request, place))

    def answer_problems(self, answer: Answer, place: Place) -> list[str]:
        """What the document says against an answer, in words."""
        given = place.method, place.template, answer.status, answer.kind, answer.encoded(), str(answer.headers)
        return self._remembered(given, lambda: self._answer_problems(answer, place))

    def _remembered(self, key: Hashable, find: Callable[[], list[str]]) -> list[str]:
        """The document does not change: what was once said of the same thing is said again."""
        if key not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[key] = find()
        return self._known[key]

    def _request_problems(self, request: Request, place: Place) -> list[str]:
        asked = SimpleNamespace(
            method=place.method,
            host_url="http://double",
            path=request.path,
            place=place,
            body=request.body or None,
            content_type=request.kind or self._first_kind(place),
            parameters=RequestParameters(
                query=ImmutableMultiDict([(name, value) for name, all_ in request.repeated.items() for value in all_]),
                header=request.headers,
                cookie=ImmutableMultiDict(),
                path=dict(place.variables),
            ),
        )
        return [words(each) for each in self._requests.iter_errors(asked)]

    def _answer_problems(self, answer: Answer, place: Place) -> list[str]:
        asked = SimpleNamespace(method=place.method, host_url="http://double", path=place.template, place=place)
        given = SimpleNamespace(
            status_code=answer.status, headers=answer.headers, content_type=answer.kind, data=answer.encoded()
        )
        return [words(each) for each in self._answers.iter_errors(asked, given)]

    def _first_kind(self, place: Place) -> str:
        kinds = self.paths[place.template][place.method].get("requestBody", {}).get("content", {})
        return next(iter(kinds), "")

    def _plant(self, template: str) -> None:
        node = self._tree
        for part in template.strip("/").split("/"):
            node = node.setdefault("{" if part.startswith("{") else part, {})
        node[""] = template

    def _walk(self, node: Mapping[str, Any], parts: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
        """Every template that fits, those with more words of their own first."""
        if not parts:
            if "" in node:
                yield node[""], {}
            return
        head, rest = parts[0], parts[1:]
        if head and head in node:
            yield from self._walk(node[head], rest)
        if head and "{" in node:
            for template, variables in self._walk(node["{"], rest):
                depth = len(template.strip("/").split("/")) - len(parts)
                name = template.strip("/").split("/")[depth].strip("{}")
                yield template, {name: unquote(head), **variables}


def words(error: BaseException) -> str:
    """The reason in one line: the place in the body or the parameter, and what is wrong with it."""
    cause = error.__cause__ or error
    place = f"{error.location} parameter {error.name}: " if isinstance(error, ParameterValidationError) else ""
    found = getattr(cause, "schema_errors", ())
    if found:
        return place + "; ".join(f"{each.json_path}: {each.message[:300]}" for each in found)
    return place + (str(cause) or type(cause).__name__)
