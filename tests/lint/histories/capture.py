"""Upgrades an empty PostgreSQL by a project's own program, and keeps what it sent and what the server said to it.

Run by the Python of the project's own environment: `python capture.py alembic|flask SCRIPTS OUT`; it imports nothing
of provision or of these tests. PGOPTIONS must ask for `client_min_messages=debug1`: the server then says which table
it rewrites or reads, which index it builds, which key it validates.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

_THERE = """
select c.relname::text, array_agg(a.attname::text) from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped
group by 1
"""
_SCAFFOLD = "pg_catalog", "information_schema"


def main(how: str, scripts: str, out: str) -> None:
    """Write a list: for each revision that sent something its file, the tables and columns before it, and its
    statements: line, text, what the server said."""
    sqlalchemy = importlib.import_module("sqlalchemy")
    engine = importlib.import_module("sqlalchemy.engine").Engine
    made: list[dict[str, Any]] = []

    @sqlalchemy.event.listens_for(engine, "before_cursor_execute")  # type: ignore[untyped-decorator]
    def before(_connection: Any, cursor: Any, *_rest: Any) -> None:
        _begin(made, cursor)
        del cursor.connection.notices[:]

    @sqlalchemy.event.listens_for(engine, "after_cursor_execute")  # type: ignore[untyped-decorator]
    def after(_connection: Any, cursor: Any, _statement: str, _values: Any, _context: Any, _many: bool) -> None:
        line = _line()[1]
        text = (cursor.query or b"").decode()
        if line and not any(word in text for word in _SCAFFOLD):
            said = [each.removeprefix("DEBUG:").strip() for each in cursor.connection.notices]
            made[-1]["statements"].append([line, text, [each for each in said if '"' in each]])

    (_flask if how == "flask" else _alembic)(scripts)
    with open(out, "w", encoding="utf-8") as file:
        json.dump(made, file)


def _begin(made: list[dict[str, Any]], cursor: Any) -> None:
    """What is there before a revision, as each of its connections sees it: some see less than the others."""
    file, line = _line()
    if line and (not made or made[-1]["file"] != file):
        made.append({"file": file, "before": {}, "statements": [], "connections": []})
    if line and id(cursor.connection) not in made[-1]["connections"]:
        made[-1]["connections"].append(id(cursor.connection))
        with cursor.connection.cursor() as other:
            other.execute(_THERE)
            made[-1]["before"].update(other.fetchall())


def _line() -> tuple[str, int]:
    """The revision file that is being carried out and the line in it; 0 outside of one."""
    frame = sys._getframe(1)
    while frame is not None:
        folder, name = os.path.split(frame.f_code.co_filename)
        if os.path.basename(folder) == "versions":
            return name, frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return "", 0


def _alembic(scripts: str) -> None:
    command = importlib.import_module("alembic.command")
    made = importlib.import_module("alembic.config").Config(os.environ.get("ALEMBIC_INI"))
    made.set_main_option("script_location", scripts)
    command.upgrade(made, "heads")


def _flask(scripts: str) -> None:
    with importlib.import_module("superset.app").create_app().app_context():
        importlib.import_module("flask_migrate").upgrade(directory=scripts)


if __name__ == "__main__":
    main(*sys.argv[1:])
