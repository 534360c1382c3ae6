"""What a statement leaves to those behind it in its file, where each is sent without a session: the settings of SET."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from provision.stores.clickhouse.migrate.parse.tokens import Token, depths, tokens

_NOT_SETTINGS = ("ROLE", "DEFAULT", "TRANSACTION")


class OfSession(Exception):
    """Raised for a statement that has an effect only on its session; `what` in plain words, `fix` what to do."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what, self.fix = what, fix


def after(text: str, settings: Mapping[str, str]) -> Mapping[str, str]:
    """The settings that hold behind the statement, given those before it: name → value as a request states it.

    Raises OfSession.
    """
    if not _may_be_of_session(text):
        return settings
    words = tokens(text)
    heads = [each.word() for each in words[:6]]
    _refuse(heads, words)
    if heads[:1] != ["SET"]:
        return settings
    found = dict(settings)
    for name, value in _set(text, words):
        if value is None:
            found.pop(name, None)
        else:
            found[name] = value
    return found


def _may_be_of_session(text: str) -> bool:
    upper = text.upper()
    return any(word in upper for word in ("SET", "USE", "TEMPORARY", "BEGIN", "TRANSACTION", "COMMIT", "ROLLBACK"))


def _refuse(heads: list[str], words: list[Token]) -> None:
    if heads[:1] == ["USE"]:
        raise OfSession("USE", "write the database before each name, or give it a store of its own")
    if heads[:1] in (["CREATE"], ["ATTACH"]) and "TEMPORARY" in heads[:4]:
        raise OfSession("a temporary table", "use an ordinary table and drop it at the end of the file")
    if heads[:1] in (["BEGIN"], ["COMMIT"], ["ROLLBACK"]) or heads[:2] == ["START", "TRANSACTION"]:
        raise OfSession(heads[0], "leave it out: each statement stands for itself")
    if heads[:1] == ["SET"] and len(words) > 1 and words[1].word() in _NOT_SETTINGS:
        raise OfSession(f"SET {heads[1]}", "leave it out, and give the user of the url what it needs")


def _set(text: str, words: list[Token]) -> Iterator[tuple[str, str | None]]:
    """Each setting with its value; None for one that is set back to its default."""
    depth = depths(words)
    commas = [
        at for at in range(len(words)) if words[at].value == "," and depth[at] == 0 and words[at].kind == "symbol"
    ]
    for start, end in zip([0, *commas], [*commas, len(words)], strict=True):
        part = words[start + 1 : end]
        equals = next((at for at, each in enumerate(part) if each.value == "=" and each.kind == "symbol"), 0)
        name, value = "".join(each.value for each in part[: equals or len(part)]), part[equals + 1 :]
        if name.startswith("param_"):
            raise OfSession(f"SET {name}", "write the value where the parameter is used, or as a variable: ${NAME}")
        if not equals:
            yield name, "1"  # a setting alone is switched on
        elif len(value) == 1:
            yield name, None if value[0].word() == "DEFAULT" else value[0].value
        elif value:
            yield name, text[value[0].start : value[-1].end]
