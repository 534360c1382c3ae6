"""Every file of every store is read before anything else, and all errors are told together."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from provision.core import source
from provision.errors import ConfigError, ProvisionError, Several
from provision.model import Revision
from tests.unit.core.builders import chain, told


def store(name: str, answer: Sequence[Revision] | ProvisionError) -> Any:
    def revisions() -> Sequence[Revision]:
        if isinstance(answer, ProvisionError):
            raise answer
        return answer

    return SimpleNamespace(name=name, revisions=revisions)


def test_read_stores_gives_one_graph() -> None:
    graph = source.read([store("a", chain("a", 2)), store("b", chain("b", 1))])

    assert [each.id for each in graph.order] == ["a/1", "b/1", "a/2"]
    assert {name: len(each) for name, each in source.by_store(graph, [store("a", []), store("c", [])]).items()} == {
        "a": 2,
        "c": 0,
    }


def test_read_errors_of_all_stores_are_told_together() -> None:
    one, two, three = (ConfigError(code, code) for code in ("not-utf8", "bad-filename", "empty-migration"))

    with pytest.raises(Several) as caught:
        source.read([store("a", one), store("b", Several([two, three])), store("c", chain("c", 1))])

    assert [code for code, *_ in told(caught.value)] == ["not-utf8", "bad-filename", "empty-migration"]
