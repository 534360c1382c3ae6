"""Whether what a server holds is what a document says: it fills in more than anybody wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def difference(subject: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """The first thing that the document states and the server has otherwise, as a sentence; empty for none."""
    for key in wanted:
        path = _differs(key, wanted[key], found.get(key))
        if path is not None:
            name, there, said = path
            return f"{subject} is there with {name} {_abbreviated(there)}, the file says {_abbreviated(said)}"
    return ""


def same(wanted: object, found: object) -> bool:
    """True when the server has everything that the document states."""
    return _differs("", wanted, found) is None


def _differs(name: str, wanted: object, found: object) -> tuple[str, object, object] | None:
    """Where they differ, what is there and what was wanted."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key in wanted:
            inner = _differs(f"{name}.{key}", wanted[key], found.get(key))
            if inner is not None:
                return inner
        return None
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        alike = all(same(*pair) for pair in zip(wanted, found, strict=True))
        return None if alike else (name, found, wanted)
    return None if wanted == found and (wanted is True) == (found is True) else (name, found, wanted)


def _abbreviated(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:119]}…"
