"""What stands against replacing one collection by another, as far as their classes tell; without a server too."""

from __future__ import annotations

from collections.abc import Iterator

from provision.documents.operation import Body
from provision.stores.weaviate.copy.form import Form, tenanted
from provision.stores.weaviate.server import Class


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


def _stamped(found: Class) -> bool:
    return bool((found.get("invertedIndexConfig") or {}).get("indexTimestamps"))
