"""What stands against replacing one collection by another, as far as their classes tell; without a server too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from provision.documents.operation import Body, Problem
from provision.stores.weaviate.copy.form import Form, tenanted
from provision.stores.weaviate.server import Class

if TYPE_CHECKING:
    from provision.stores.weaviate.migrate.catalogue import Catalogue


def timed(found: Class, body: Body) -> bool:
    """Whether changes are to be asked for by their time."""
    return _stamped(found) and body.get("writers") != "stopped"


def hindrances(old: Class, new: Class, body: Body) -> Iterator[tuple[str, str, str]]:
    """The part of the body, what is wrong, and what to do; both classes with the server's defaults filled in."""
    name, here = old["class"], new["class"]
    if not _stamped(old) and body.get("writers") != "stopped":
        what = f"{name} keeps no times of updates (indexTimestamps), so writes during the copy could not be found again"
        yield "alias", what, "stop everything that writes to it and state `writers: stopped`"
    if tenanted(old) != tenanted(new):
        words = ("has tenants", "has none") if tenanted(old) else ("has no tenants", "has them")
        fix = "state `multiTenancyConfig` as it is there: a copy cannot tell whose an object is"
        yield "class", f"{name} {words[0]} and {here} {words[1]}", fix
    lost = [each for each in Form.between(old, new).lost if each not in body.get("drop", ())]
    if lost:
        what = f"{here} has no place for {', '.join(lost)} of {name}"
        yield "class", what, f"add it to the class, or state `drop: [{', '.join(lost)}]`"


def replaced(catalogue: Catalogue, body: Body, shown: str) -> Iterator[Problem]:
    """What the documents before it say against a `replace_collection`; takes it into their catalogue."""
    alias, new = body["alias"], body["class"]["class"]
    target = catalogue.aliases.get(alias)
    if new in catalogue.collections:
        what = f"{new} is there already, made in {catalogue.makers[new]}"
        yield Problem(("class", "class"), what, "give the new class a name of its own, such as one that ends in _v2")
        return
    if target is not None and body.get("from", target) != target:
        yield Problem("from", f"{alias} stands for {target} since {catalogue.makers[alias]}", f"write {target}")
        return
    old = catalogue.collections.get(target) if target else None
    catalogue.put(body["class"], shown)
    for key, what, fix in hindrances(old, catalogue.collections[new], body) if old else ():
        yield Problem(key, what, fix)
    if target is not None:
        catalogue.remove(target, shown)
    catalogue.aliases[alias], catalogue.makers[alias] = new, shown


def _stamped(found: Class) -> bool:
    return bool((found.get("invertedIndexConfig") or {}).get("indexTimestamps"))
