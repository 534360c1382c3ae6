"""What stands against a backfill: mistakes in its document, and what the server has behind its alias."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provision.documents.operation import AS_WRITTEN, Body, Problem, Stopped
from provision.errors import ConfigError, ProvisionError
from provision.model.backfills import Backfill
from provision.model.statements import Outcome
from provision.stores.weaviate.migrate.operations.base import Live
from provision.stores.weaviate.migrate.operations.replace_collection import ReplaceCollection
from provision.stores.weaviate.migrate.operations.replace_create import refusals
from provision.stores.weaviate.migrate.operations.replacing import stand
from provision.stores.weaviate.setup.health import WITH_ALIASES

_WHOLE = ReplaceCollection()


def refused(backfill: Backfill, live: Live) -> Sequence[ProvisionError]:
    """Everything that is wrong, the document first. Changes nothing. Raises ConfigError, http.Unanswered."""
    wrong = [
        ConfigError("document-invalid", each.what, where=_place(backfill, each), fix=each.fix)
        for each in _WHOLE.problems(backfill.body)
    ]
    return wrong or [
        ConfigError("not-replaceable", each.what, where=_place(backfill, each), fix=each.fix)
        for each in _standing(backfill, live)
    ]


def _standing(backfill: Backfill, live: Live) -> Iterator[Problem]:
    body: Body = backfill.body
    if live.server.numbers < WITH_ALIASES:
        yield Problem("store", f"Weaviate {live.server.version} has no aliases", "upgrade to 1.32 or later")
        return
    try:
        standing, fate = stand(body, live), _WHOLE.probe(body, live)
    except Stopped as stopped:
        yield Problem("alias", str(stopped), AS_WRITTEN)
        return
    if standing.alias == body["class"]["class"] or standing.old is None:
        return  # it was done before
    if fate.outcome not in (Outcome.DONE, Outcome.NOT_DONE):
        yield Problem("class", fate.reason, "give the new class a name of its own, or delete the collection")
    if standing.mark is None:
        yield from (Problem(*each) for each in refusals(standing.old, body, live))


def _place(backfill: Backfill, problem: Problem) -> str:
    return backfill.place(*((problem.key,) if isinstance(problem.key, str) else problem.key))
