"""Collections of provision itself: the ledger, the log of backfill runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from provision.documents.refused import Refused
from provision.errors import ConfigError, FailedError
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
    """Make the collection of this class if it is absent.

    Raises ConfigError (not-allowed), FailedError (server-refused), http.Unanswered.
    """
    if server.collection(wanted["class"]) is not None:
        return
    try:
        server.send("POST", "/schema", wanted)
    except Refused as no:
        if server.collection(wanted["class"]) is not None:
            return  # another run was first
        if no.fix:
            what = f"the server refused to make {wanted['class']}: {no}"
            raise ConfigError("not-allowed", what, where=server.shown, fix=no.fix) from None
        raise refused(server, no) from None


_READY = "see why (a full disk makes shards READONLY), set them READY, and run the same command again"


def refused(server: Server, no: Refused) -> FailedError:
    read_only = "read-only" in str(no).lower() or "readonly" in str(no).lower()
    fix = no.fix or (_READY if read_only else "see to the cause, run again")
    return FailedError("server-refused", f"the server refused: {no}", where=server.shown, fix=fix)
