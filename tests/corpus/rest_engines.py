"""Runs the cases of InfluxDB, Weaviate and ArangoDB, over plain HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

from provision.stores.arango.lint.reader import ArangoReader
from tests.corpus.cases import Case
from tests.servers.rest import good, sent

Refused = Callable[[Callable[[], object], str], None]


def influx(case: Case, url: str, refused: Refused) -> Iterator[tuple[str, str]]:
    """What the case shows, and what it should; `url` is an InfluxDB 1.x, where the case has a database of its own."""
    keys = {"url": url}

    def run(text: str) -> str:
        _, answer = sent(keys, "POST", "/query?" + urlencode({"q": text, "db": "corpus"}))
        found = [answer, *answer.get("results", ())]
        wrong = [each["error"] for each in found if "error" in each]
        if wrong:
            raise RuntimeError(wrong[0])
        return str([row for each in found for series in each.get("series", ()) for row in series["values"]])

    def write(line: str) -> None:
        good(keys, "POST", "/write?db=corpus", line.encode())

    run("DROP DATABASE corpus")
    run("CREATE DATABASE corpus")
    for line in filter(None, case.before.split("\n")):
        write(line.removeprefix("write ")) if line.startswith("write ") else run(line)
    if "fails" in case.harm:
        refused(lambda: run(case.change), str(case.harm["fails"]))
        return
    run(case.change)
    if case.beside:
        write(case.beside)
    if "breaks" in case.harm:
        text, said = case.harm["breaks"]
        refused(lambda: run(text), str(said))
    else:
        text, value = case.harm["shows"]
        yield run(text), str(value)


def weaviate(case: Case, url: str) -> Iterator[tuple[str, str]]:
    """What the case shows, and what it should. `beside` are the properties of an object that is written afterwards."""
    keys = {"url": url}
    made = json.loads(case.change)["class"]
    sent(keys, "DELETE", f"/v1/schema/{made}")
    try:
        good(keys, "POST", "/v1/schema", json.loads(case.change))
        if case.beside:
            good(keys, "POST", "/v1/objects", {"class": made, "properties": json.loads(case.beside)})
        what, value = case.harm["shows"]
        word, _, rest = str(what).partition(" ")
        if word == "type":
            kept = good(keys, "GET", f"/v1/schema/{made}")["properties"]
            yield next(each["dataType"][0] for each in kept if rest == f"of {each['name']}"), str(value)
        else:
            query = f"{{ Get {{ {made}(nearVector: {{vector: {rest}}}) {{ _additional {{ id }} }} }} }}"
            found = good(keys, "POST", "/v1/graphql", {"query": query})
            assert "errors" not in found, found["errors"]
            yield str(len(found["data"]["Get"][made])), str(value)
    finally:
        sent(keys, "DELETE", f"/v1/schema/{made}")


def arango(case: Case, url: str, refused: Refused) -> None:
    """On the double of ArangoDB's contract: there is no server that a test could start."""
    keys = {"url": url}
    made = [each.body for each in ArangoReader().units(case.change, case.name)]
    try:
        for each in made:
            good(keys, "POST", "/_api/collection", each)
        text, said = case.harm["breaks"]

        def run() -> object:
            status, answer = sent(keys, "POST", "/_api/cursor", {"query": text})
            if status >= 400:
                raise RuntimeError(answer["errorMessage"])
            return answer["result"]

        refused(run, str(said))
    finally:
        for each in made:
            sent(keys, "DELETE", f"/_api/collection/{each['name']}")
