"""Lists in pages, as the server cuts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from tests.doubles.influx2.routing import Call

Item = TypeVar("Item")
# Asked for no limit, the server answers twenty and says nothing of the rest but in `links.next`.
USUAL = 20


def page(
    call: Call, found: Sequence[Item], path: str, id: Callable[[Item], str]
) -> tuple[Sequence[Item], dict[str, str]]:
    """One page of what was found, and the links to this page and its neighbours."""
    limit, offset = int(call.query("limit") or USUAL), int(call.query("offset") or 0)
    after = call.query("after")
    if after:
        found = [each for each in found if id(each) > after]
    kept = found[offset : offset + limit]
    links = {"self": _link(call, path, offset, limit)}
    if offset:
        links["prev"] = _link(call, path, max(0, offset - limit), limit)
    if len(found) > offset + limit:
        links["next"] = _link(call, path, offset + limit, limit)
    return kept, links


def _link(call: Call, path: str, offset: int, limit: int) -> str:
    asked: dict[str, Any] = {**call.request.query, "descending": "false", "limit": limit, "offset": offset}
    return f"{path}?{urlencode(sorted(asked.items()))}"
