"""The statements of each step: a file's text cut, filled in, read, and with the settings that the file set before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from provision.errors import ConfigError
from provision.model import Direction, Step, StoreOptions
from provision.model.statements import Statement
from provision.stores.clickhouse.files import DOWN, Script
from provision.stores.clickhouse.migrate.parse import touched
from provision.stores.clickhouse.migrate.parse.lexer import Uncut
from provision.stores.clickhouse.migrate.parse.settings import OfSession, after


@dataclass(frozen=True, slots=True)
class Sent:
    """What goes to the server: a text, under the settings that statements before it in its file have set."""

    text: str
    settings: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text


class Texts:
    """The statements of each step, with `${NAME}` filled in where provision.toml gives variables."""

    def __init__(self, options: StoreOptions, scripts: Mapping[str, Script]) -> None:
        self._options, self._scripts = options, scripts
        self._read: dict[tuple[str, Direction], list[Statement]] = {}  # looked at before a run, and carried out in it
        variables = options.extra.get("variables")
        self._variables = {str(k): str(v) for k, v in variables.items()} if isinstance(variables, Mapping) else None

    def of(self, step: Step) -> list[Statement]:
        """Raises ConfigError (empty-migration, unset-variable, unclear-statement, session-statement)."""
        key = (step.id, step.direction)
        if key not in self._read:
            self._read[key] = self._of(step)
        return self._read[key]

    def _of(self, step: Step) -> list[Statement]:
        script = self._scripts[step.id]
        text = script.up if step.direction is Direction.UP else script.down or ""
        written = self._cut(text, step)
        if not written:
            raise ConfigError(
                "empty-migration",
                f"{step.revision.title} has no statement to go {step.direction}",
                where=step.revision.path,
                fix="write its SQL, or delete the file",
            )
        sent = self._sent(self._cut(self._filled(text, step), step), step)
        if len(sent) != len(written):
            # A value with a semicolon in it: what is shown no longer lines up with what is sent.
            written = [f"-- statement {number} of {step.id}" for number in range(1, len(sent) + 1)]
        return [_statement(shown, real) for shown, real in zip(written, sent, strict=True)]

    def _cut(self, text: str, step: Step) -> list[str]:
        try:
            return touched.split(text)
        except Uncut as error:
            raise ConfigError(
                "unclear-statement",
                f"it cannot be told where a statement of {step.revision.title} ends: {error.what}",
                where=f"{_file(step)}:{text.count(chr(10), 0, error.at) + 1}",
                fix="close it, or write data as INSERT … VALUES and texts in single quotes",
            ) from None

    def _sent(self, statements: list[str], step: Step) -> list[Sent]:
        """Each with the settings that those before it leave behind: no two are of one session."""
        sent: list[Sent] = []
        settings: Mapping[str, str] = {}
        for number, text in enumerate(statements, 1):
            sent.append(Sent(text, settings))
            try:
                settings = after(text, settings)
            except OfSession as error:
                raise ConfigError(
                    "session-statement",
                    f"statement {number} of {step.revision.title} is for a session, and there is none: {error.what}",
                    where=_file(step),
                    fix=error.fix,
                ) from None
        return sent

    def _filled(self, text: str, step: Step) -> str:
        if self._variables is None:
            return text
        from clickhouse_migrations.exceptions import MigrationException
        from clickhouse_migrations.substitution import substitute

        try:
            return str(substitute(text, self._variables, step.revision.path))
        except MigrationException as error:
            raise ConfigError(
                "unset-variable",
                str(error).split(". Pass them", 1)[0],
                where=step.revision.path,
                fix=f"add it to variables of [stores.{self._options.name}]",
            ) from None


def read_of(statement: Statement) -> touched.ParsedStatement:
    return _parsed(str(statement.sent))


def settings_of(statement: Statement) -> Mapping[str, str]:
    return statement.sent.settings if isinstance(statement.sent, Sent) else {}


def _file(step: Step) -> str:
    path = step.revision.path
    return path if step.direction is Direction.UP else path.removesuffix(".up.sql").removesuffix(".sql") + DOWN


def _statement(shown: str, sent: Sent) -> Statement:
    read, real = _parsed(shown), _parsed(sent.text)
    # A variable can stand where a name is wanted; without it, people are shown the text as written.
    loses = read.destructive if len(read.losses) == len(real.losses) else real.destructive
    return Statement(text=shown, summary=read.summary, sent=sent, destructive=loses)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> touched.ParsedStatement:
    return touched.parse(text)
