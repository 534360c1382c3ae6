"""Reads `checks/*.yaml`: a suite is the checks of one table (keys at the top), or of several (the list `tables`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provision.documents.check import check
from provision.documents.yaml import Path as Steps
from provision.documents.yaml import Place, parse
from provision.errors import ConfigError, ProvisionError, Several, raise_all
from provision.model.checks import ROWS, UNSAID, Check, CheckSeverity, Limit, Suite, Table
from provision.text import files
from provision.validate.columns import allowed

FOLDER = "checks"
COMMON = ("name", "description", "severity", "warn_if", "fail_if", "sample", "mask", "owner", "tags")
_NAMES = {"type": "array", "items": {"type": "string", "minLength": 1}, "description": "a list of columns"}
_LIMIT = {
    "type": "object",
    "description": "`{count: 10}` for more than 10 rows, or `{share: 0.01}` for more than 1 % of them",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": {
        "count": {"type": "integer", "minimum": 0, "description": "rows"},
        "share": {"type": "number", "minimum": 0, "maximum": 1, "description": "a share, 0 to 1"},
    },
}
_INHERITED: Mapping[str, Any] = {
    "owner": {"type": "string", "minLength": 1, "description": "who sees to it: a team, a person, an address"},
    "tags": {
        "type": "array",
        "items": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.:-]*$", "description": "a word without spaces"},
        "description": "a list of words that --tag goes by",
    },
}
"""Keys of a check that its table may say for all of its checks, and a suite for all of its tables; tags add up."""
_ON_REQUEST = {"type": "boolean", "description": "true: made where the suite is named, and not with all of them"}
_REQUIRED = {"type": "boolean", "description": "true: no rows at all fail; false: it may be empty"}
_CHECK: Mapping[str, Any] = {
    **_INHERITED,
    "name": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "description": "a name of a-z, 0-9 and _"},
    "description": {"type": "string", "minLength": 1, "description": "what is wrong with a bad row, for people"},
    "severity": {"enum": [str(each) for each in CheckSeverity], "description": "info, low, medium, high or critical"},
    "warn_if": _LIMIT,
    "fail_if": _LIMIT,
    "sample": {**_NAMES, "description": "a list of the columns to show of bad rows"},
    "mask": {**_NAMES, "description": "a list of those columns whose values stay private"},
}
_TABLE: Mapping[str, Any] = {
    "store": {"type": "string", "minLength": 1, "description": "the name of a store in provision.toml"},
    "table": {"type": "string", "minLength": 1, "description": "the name of a table"},
    "time": {"type": "string", "minLength": 1, "description": "the column that --since and --until go by"},
    "tenant": {"type": "string", "minLength": 1, "description": "the column that --tenant goes by"},
    **_INHERITED,
    "rows_required": _REQUIRED,
    "min_rows": {"type": "integer", "minimum": 0, "description": "fewer rows than this fail; 0: it may be empty"},
    "sample": {**_NAMES, "description": "a list of the columns to show of bad rows, for checks that name none"},
    "mask": {**_NAMES, "description": "a list of columns whose values stay private"},
}


@dataclass(frozen=True, slots=True)
class SuiteVocabulary:
    """What a kind of store brings: its kinds of check and its own keys of a table, each with its schema."""

    kinds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    table: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


Vocabularies = Callable[[str], SuiteVocabulary]
"""By the name of a store. Raises ConfigError (unknown-store, capability-missing)."""


def found(root: Path) -> dict[str, Path]:
    """Every suite of a project by name, in order."""
    return {path.stem: path for path in files.inside(root / FOLDER, "*.yaml", root)}


def read(path: Path, shown: str, vocabularies: Vocabularies) -> Suite:
    """The suite in a file. Raises ConfigError (empty-suite, bad-yaml, document-invalid, unknown-store), or Several."""
    value, places = _parsed(files.read_text(path, shown), shown)
    listed = "tables" in value
    tables = [(steps, _vocabulary(each, steps, places, shown, vocabularies)) for steps, each in _raw_tables(value)]
    check(value, places, suite_schema([each for _, each in tables], listed=listed), shown)
    made = [_Reader(value, steps, vocabulary, places, shown).table() for steps, vocabulary in tables]
    return Suite(path.stem, tuple(made), value.get("description", ""), shown, value.get("on_request", False))


def suite_schema(tables: list[SuiteVocabulary], *, listed: bool) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a suite whose tables lie in stores of these vocabularies, in order."""
    description = {"type": "string", "minLength": 1, "description": "what the suite is about, for people"}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "checks of a suite"}
    if not listed:
        schema = table_schema(tables[0])
        first = {"description": description, "on_request": _ON_REQUEST}
        return {**head, **schema, "properties": {**first, **schema["properties"]}}
    several = {
        "type": "array",
        "minItems": 1,
        "description": "a list of tables",
        **({"prefixItems": [table_schema(each) for each in tables]} if tables else {}),
    }
    first = {"description": description, "on_request": _ON_REQUEST, **_INHERITED}
    properties = {**first, "rows_required": _REQUIRED, "tables": several}
    return {
        **head, "type": "object", "additionalProperties": False, "required": ["tables"], "properties": properties
    }  # fmt: skip


def editor_schema(vocabularies: Iterable[SuiteVocabulary]) -> dict[str, Any]:
    """The schema of every suite, for editors, which do not know of what kind a store is: all kinds of check at once."""
    listed = list(vocabularies)
    merged = SuiteVocabulary(
        {name: schema for each in listed for name, schema in each.kinds.items()},
        {name: schema for each in listed for name, schema in each.table.items()},
    )
    one, several = (suite_schema([merged], listed=each) for each in (False, True))
    tables = several["properties"]["tables"]
    tables["items"] = tables.pop("prefixItems")[0]
    head = {key: one.pop(key) for key in ("$schema", "title")}
    for key in head:
        del several[key]
    return {**head, "if": {"required": ["tables"]}, "then": several, "else": one}


def table_schema(vocabulary: SuiteVocabulary) -> dict[str, Any]:
    """The schema of one table with its checks."""
    one = {
        "type": "object",
        "description": "`- name: …` with one kind of check",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {**_CHECK, **vocabulary.kinds},
    }
    checks = {"type": "array", "minItems": 1, "description": "a list of checks", "items": one}
    return {
        "type": "object",
        "description": "the keys store, table and checks",
        "additionalProperties": False,
        "required": ["store", "table", "checks"],
        "properties": {**_TABLE, **vocabulary.table, "checks": checks},
    }


def _parsed(text: str, shown: str) -> tuple[dict[str, Any], Mapping[Steps, Place]]:
    try:
        return parse(text, shown, keys="store, table and checks")
    except Several:
        raise
    except ConfigError as error:
        if error.code != "empty-migration":
            raise
        fix = "write its store, table and checks, or delete the file"
        raise ConfigError("empty-suite", "the file holds no checks", where=shown, fix=fix) from None


def _raw_tables(value: Mapping[str, Any]) -> Iterator[tuple[Steps, Any]]:
    if "tables" not in value:
        yield (), value
        return
    tables = value["tables"]
    yield from ((("tables", index), each) for index, each in enumerate(tables if isinstance(tables, list) else ()))


def _vocabulary(
    value: Any, steps: Steps, places: Mapping[Steps, Place], shown: str, vocabularies: Vocabularies
) -> SuiteVocabulary:
    """That of the store a table names; an empty one where it names none, which the schema says."""
    store = value.get("store") if isinstance(value, dict) else None
    if not isinstance(store, str) or not store:
        return SuiteVocabulary()
    try:
        return vocabularies(store)
    except ProvisionError as error:
        line, column = places[(*steps, "store")]
        error.where = f"{shown}:{line}:{column}"
        raise


class _Reader:
    """One table of a document that follows the schema."""

    def __init__(
        self, value: Any, steps: Steps, vocabulary: SuiteVocabulary, places: Mapping[Steps, Place], shown: str
    ) -> None:
        self._suite: Mapping[str, Any] = value if steps else {}
        for step in steps:
            value = value[step]
        self._value, self._steps, self._places, self._shown = value, steps, places, shown
        self._vocabulary = vocabulary

    def table(self) -> Table:
        value = self._value
        checks = [self._check(index, each) for index, each in enumerate(value["checks"])]
        raise_all([each for each in checks if isinstance(each, ProvisionError)] or list(self._twice()))
        return Table(
            value["store"],
            value["table"],
            tuple(each for each in checks if isinstance(each, Check)),
            value.get("time"),
            value.get("tenant"),
            self._min_rows(),
            {key: value[key] for key in self._vocabulary.table if key in value},
            self._place("table"),
            *self._inherited(self._suite, value),
        )

    def _min_rows(self) -> int | None:
        """As the table says; else 1 or 0 as it, or its suite, says of rows at all; None where nobody says anything."""
        if "min_rows" in self._value:
            return int(self._value["min_rows"])
        required = self._value.get("rows_required", self._suite.get("rows_required"))
        return None if required is None else int(required)

    def _inherited(self, *levels: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        """Owner and tags by what a suite, a table and a check say, in that order."""
        owner = next((str(each["owner"]) for each in reversed(levels) if "owner" in each), "")
        return owner, tuple(dict.fromkeys(tag for each in levels for tag in each.get("tags", ())))

    def _check(self, index: int, value: Mapping[str, Any]) -> Check | ConfigError:
        kinds = [key for key in value if key not in COMMON]
        if len(kinds) != 1:
            what = f"checks[{index + 1}] {value['name']} has {', '.join(kinds) or 'no kind of check'}"
            fix = f"give it one of {', '.join(self._vocabulary.kinds)}"
            return ConfigError("document-invalid", what, where=self._place("checks", index), fix=fix)
        owner, tags = self._inherited(self._suite, self._value, value)
        return Check(
            name=value["name"],
            kind=kinds[0],
            body=value[kinds[0]],
            severity=CheckSeverity(value.get("severity", UNSAID)),
            warn_if=_limit(value.get("warn_if")),
            fail_if=allowed(kinds[0], value[kinds[0]]) or self._fail_if(value),
            sample=tuple(value.get("sample", self._value.get("sample", ()))),
            mask=(*self._value.get("mask", ()), *value.get("mask", ())),
            description=value.get("description", ""),
            place=self._place("checks", index, kinds[0]),
            owner=owner,
            tags=tags,
        )

    def _fail_if(self, value: Mapping[str, Any]) -> Limit | None:
        """None for a check that can only warn."""
        if "warn_if" in value and "fail_if" not in value:
            return None
        return _limit(value.get("fail_if")) or Limit(count=0)

    def _twice(self) -> Iterator[ConfigError]:
        names = [each["name"] for each in self._value["checks"]]
        for index, name in enumerate(names):
            where = self._place("checks", index, "name")
            if name in names[:index]:
                yield ConfigError("document-invalid", f"{name} is given twice", where=where, fix="rename one of them")
            if "fail_if" in self._value["checks"][index] and "not_null_share" in self._value["checks"][index]:
                what = f"{name}: `min` says already when a share is too small"
                where = self._place("checks", index, "fail_if")
                yield ConfigError("document-invalid", what, where=where, fix="leave out `fail_if`")
            if name == ROWS:
                what = f"{name} is the name of the check that a table has rows"
                yield ConfigError("document-invalid", what, where=where, fix="choose another name")

    def _place(self, *steps: str | int) -> str:
        line, column = self._places[(*self._steps, *steps)]
        return f"{self._shown}:{line}:{column}"


def _limit(value: Mapping[str, Any] | None) -> Limit | None:
    return Limit(value.get("count"), value.get("share")) if value else None
