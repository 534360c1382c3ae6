"""Whether env.py runs the migrations once is read from its text where that shows it."""

from __future__ import annotations

from pathlib import Path

import alembic
import pytest

from provision.stores.postgres.migrate.env_runs import once

TEMPLATES = sorted((Path(alembic.__file__).parent / "templates").glob("*/env.py"))
RUN = "context.run_migrations()"
ONCE = {
    "at the top": f"context.configure()\n{RUN}\n",
    "in a function that is called": f"def go():\n    {RUN}\n\ngo()\n",
    "in a function handed on": f"def go(c):\n    {RUN}\n\nasync def all():\n    await c.run_sync(go)\n\nrun(all())\n",
    "in one of two branches": f"if offline():\n    {RUN}\nelse:\n    {RUN}\n",
    "beside a loop of something else": f"for each in tables:\n    print(each)\n{RUN}\n",
    "in a function of a function": f"def go():\n    def inner():\n        {RUN}\n    inner()\n\ngo()\n",
}
NOT_SHOWN = {
    "in a loop": f"for schema in schemas:\n    context.configure(schema)\n    {RUN}\n",
    "in a function called in a loop": f"def go(s):\n    {RUN}\n\nfor s in schemas:\n    go(s)\n",
    "in a comprehension": f"def go(s):\n    {RUN}\n\n[go(s) for s in schemas]\n",
    "twice": f"{RUN}\n{RUN}\n",
    "in a function called twice": f"def go():\n    {RUN}\n\ngo()\ngo()\n",
    "in two functions that are both called": f"def a():\n    {RUN}\n\ndef b():\n    {RUN}\n\na()\nb()\n",
    "in a while": f"while more():\n    {RUN}\n",
    "in a function that calls itself": f"def go():\n    {RUN}\n    go()\n\ngo()\n",
    "elsewhere": "from shop import migrate\nmigrate()\n",
    "never called": f"def go():\n    {RUN}\n",
    "no Python": "def (:\n",
}


@pytest.mark.parametrize("text", ONCE.values(), ids=ONCE)
def test_text_that_shows_one_run(text: str) -> None:
    assert once(text)


@pytest.mark.parametrize("text", NOT_SHOWN.values(), ids=NOT_SHOWN)
def test_text_that_does_not_show_one_run(text: str) -> None:
    assert not once(text)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda each: each.parent.name)
def test_templates_of_alembic_run_them_once_but_for_that_of_several_databases(template: Path) -> None:
    assert once(template.read_text()) is (template.parent.name != "multidb")


def test_our_template_runs_them_once() -> None:
    assert once(Path("provision/stores/postgres/setup/template/env.py").read_text())
