"""Reads `backfills/*.yaml`, and `backfills/*.py` with the pair `collection()` and `process(batch)`."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from provision.documents.check import check
from provision.documents.yaml import Path as Steps
from provision.documents.yaml import Place, parse
from provision.errors import ConfigError, ProvisionError, Several
from provision.model.backfills import Backfill
from provision.text import durations, files
from provision.text.sizes import SIZE, size

COMMON = ("description", "store", "requires", "batch", "rate", "on_error", "retries")
_TIME = re.compile(r"([1-9][0-9]*)(ms|s)")
_COMMON: Mapping[str, Any] = {
    "description": {"type": "string", "minLength": 1, "description": "what it fills and why, for people"},
    "store": {"type": "string", "minLength": 1, "description": "the name of a store in provision.toml"},
    "requires": {
        "type": "array",
        "description": "a list of revision ids such as [postgres/0007]",
        "items": {"type": "string", "pattern": "^[^/ ]+/[^ ]+$", "description": "an id such as postgres/0007"},
    },
    "batch": {
        "type": "object",
        "description": "`{target: 100ms}`, and `rows` for the first one",
        "additionalProperties": False,
        "properties": {
            "target": {"type": "string", "pattern": f"^{_TIME.pattern}$", "description": "a time such as 100ms or 1s"},
            "rows": {"type": "integer", "minimum": 1, "description": "rows of the first batch"},
            "bytes": {"type": "string", "pattern": SIZE, "description": "the most of a batch: 16MB"},
        },
    },
    "rate": {"type": "number", "minimum": 0.1, "description": "the most rows a second"},
    "on_error": {"enum": ["stop", "split", "skip"], "description": "stop, split or skip: what of rows that fail"},
    "retries": {"type": "integer", "minimum": 0, "description": "how often a batch that failed is tried again"},
}


@dataclass(frozen=True, slots=True)
class BackfillVocabulary:
    """What a kind of store brings: the keys of its backfills with their schemas; `code` are those of Python files."""

    keys: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    code: Mapping[str, Mapping[str, Any]] | None = None
    code_required: tuple[str, ...] = ()


Vocabularies = Callable[[str], BackfillVocabulary]
"""By the name of a store. Raises ConfigError (unknown-store, capability-missing)."""


def read(path: Path, shown: str, vocabularies: Vocabularies) -> Backfill:
    """The backfill in a file.

    Raises ConfigError (empty-backfill, bad-yaml, document-invalid, unknown-store, bad-code), or Several.
    """
    text = files.read_text(path, shown)
    process = None
    if path.suffix == ".py":
        value, process = _code(path, shown)
        places: Mapping[Steps, Place] = _Everywhere()
    else:
        value, places = _parsed(text, shown)
    vocabulary = _vocabulary(value, places, shown, vocabularies, code=process is not None)
    check(value, places, schema(vocabulary, code=process is not None), shown)
    if "from" in value:
        _known(value["from"]["store"], places[("from", "store")], shown, vocabularies)
    body = {key: each for key, each in value.items() if key not in COMMON}
    batch = value.get("batch", {})
    return Backfill(
        name=path.stem,
        store=value["store"],
        description=value.get("description", files.described(path.stem)),
        checksum=files.checksum(text),
        shown=shown,
        body=body,
        requires=tuple(value.get("requires", ())),
        target=seconds(batch.get("target", "100ms")),
        size=batch.get("rows", 500),
        rate=value.get("rate"),
        most_bytes=size(batch.get("bytes", "16MB")),
        locked=_locked(body),
        on_error=value.get("on_error", "split"),
        retries=value.get("retries"),
        process=process,
        places={} if process is not None else places,
    )


def schema(vocabulary: BackfillVocabulary, *, code: bool = False) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a backfill whose store has this vocabulary."""
    keys = (vocabulary.code or {}) if code else vocabulary.keys
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "a backfill",
        "type": "object",
        "additionalProperties": False,
        "required": ["store", *(vocabulary.code_required if code else vocabulary.required)],
        "properties": {**_COMMON, **keys},
    }


def editor_schema(vocabularies: Mapping[str, BackfillVocabulary]) -> dict[str, Any]:
    """The schema of every backfill, by kind of store, for editors: they do not know of what kind the store is."""
    kinds = list[dict[str, Any]]()
    for kind, vocabulary in vocabularies.items():
        one = _under(f"anyOf/{len(kinds)}", schema(vocabulary))
        head = {key: one.pop(key) for key in ("$schema", "title")}
        kinds.append({"title": f"{head['title']} of a store of kind {kind}", **one})
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "a backfill", "anyOf": kinds}


def _under(place: str, one: dict[str, Any]) -> dict[str, Any]:
    """A schema whose references to parts of itself hold when it is part of another, at that place."""
    moved: dict[str, Any] = json.loads(json.dumps(one).replace('"$ref": "#/', f'"$ref": "#/{place}/'))
    return moved


def seconds(text: str) -> float:
    """Seconds of `100ms` or `2s`. Raises ValueError."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return int(match[1]) * (0.001 if match[2] == "ms" else 1.0)


def _locked(body: Mapping[str, Any]) -> float:
    """Seconds for which rows that others hold locked are waited for."""
    given = body.get("yield")
    return float(durations.seconds(given["locked"])) if isinstance(given, Mapping) and "locked" in given else 600.0


class _Everywhere(dict[Steps, Place]):
    """The places of what Python code answers: its first line."""

    def __missing__(self, _steps: Steps) -> Place:
        return 1, 1


def _code(path: Path, shown: str) -> tuple[dict[str, Any], Callable[[Any], None]]:
    """What the module's names and its `collection()` say, and its `process`."""
    module = _module(path, shown)
    missing = [name for name in ("collection", "process") if not callable(getattr(module, name, None))]
    if missing:
        fix = "define collection(), which says what to walk, and process(batch)"
        raise ConfigError("bad-code", f"{path.name} has no {' and no '.join(missing)}", where=shown, fix=fix)
    try:
        walked = module.collection()
    except Exception as error:  # of the author's own code
        raise _bad_code(error, path, shown, "collection()") from None
    if not isinstance(walked, dict):
        fix = "answer a dictionary with the keys table, where, key, columns, order"
        raise ConfigError("bad-code", "collection() answers no dictionary", where=shown, fix=fix)
    named = {name: getattr(module, name) for name in COMMON if hasattr(module, name)}
    described = {"description": module.__doc__.strip().split("\n")[0]} if module.__doc__ else {}
    return {**described, **named, **walked}, module.process


def _module(path: Path, shown: str) -> ModuleType:
    # A name that no other module can have; no .pyc beside the documents.
    spec = importlib.util.spec_from_file_location(f"_backfill_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # of the author's own code
        raise _bad_code(error, path, shown, path.name) from None
    finally:
        sys.dont_write_bytecode = before
    return module


def _bad_code(error: Exception, path: Path, shown: str, what: str) -> ConfigError:
    trace, line = error.__traceback__, getattr(error, "lineno", None)
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == str(path) else line
        trace = trace.tb_next
    where = f"{shown}:{line}" if line else shown
    return ConfigError(
        "bad-code", f"{what} raised {type(error).__name__}: {error}", where=where, fix="correct the code"
    )


def _parsed(text: str, shown: str) -> tuple[dict[str, Any], Mapping[Steps, Place]]:
    try:
        return parse(text, shown, keys="store, table, set and where")
    except Several:
        raise
    except ConfigError as error:
        if error.code != "empty-migration":
            raise
        fix = "write its store, table, set and where, or delete the file"
        raise ConfigError("empty-backfill", "the file holds no backfill", where=shown, fix=fix) from None


def _vocabulary(
    value: Mapping[str, Any], places: Mapping[Steps, Place], shown: str, vocabularies: Vocabularies, *, code: bool
) -> BackfillVocabulary:
    """That of the store it names; an empty one where it names none, which the schema says."""
    store = value.get("store")
    if not isinstance(store, str) or not store:
        return BackfillVocabulary(keys={key: {} for key in value.keys() - COMMON})
    found = _known(store, places[("store",)], shown, vocabularies)
    if code and found.code is None:
        what = f"{store} is filled by YAML files alone: stores of its kind run no process(batch)"
        raise ConfigError("bad-code", what, where=shown, fix="write it as YAML")
    return found


def _known(store: str, place: Place, shown: str, vocabularies: Vocabularies) -> BackfillVocabulary:
    try:
        return vocabularies(store)
    except ProvisionError as error:
        error.where = f"{shown}:{place[0]}:{place[1]}"
        raise
