"""Collections of provision itself: the ledger, the log of backfill runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from provision.documents.refused import Refused
from provision.errors import FailedError
from provision.stores.weaviate.server import Server


def collection(
    name: str, description: str, texts: Sequence[str], numbers: Sequence[str], sought: Collection[str] = ()
) -> dict[str, Any]:
    """Its class. Only the texts that are `sought` are indexed, to be matched whole or not at all.

    Every property is stated: a server may run without auto-schema. `skip`: objects without a vector need no index of
    vectors.
    """
    plain = {"indexFilterable": False, "indexRangeFilters": False}
    words = {**plain, "indexSearchable": False, **({"tokenization": "field"} if sought else {})}
    return {
        "class": name,
        "description": description,
        "vectorizer": "none",
        "vectorIndexType": "hnsw",
        "vectorIndexConfig": {"skip": True},
        "properties": [
            *({"name": each, "dataType": ["text"], **words, "indexFilterable": each in sought} for each in texts),
            *({"name": each, "dataType": ["int"], **plain} for each in numbers),
        ],
    }


def make(server: Server, wanted: Mapping[str, Any]) -> None:
    """Make the collection of this class if it is absent. Raises FailedError (server-refused), http.Unanswered."""
    if server.collection(wanted["class"]) is not None:
        return
    try:
        server.send("POST", "/schema", wanted)
    except Refused as no:
        if server.collection(wanted["class"]) is None:  # another run may have been first
            raise refused(server, no) from None


def refused(server: Server, no: Refused) -> FailedError:
    fix = no.fix or "see to the cause, run again"
    return FailedError("server-refused", f"the server refused: {no}", where=server.shown, fix=fix)
