"""The published projects: what each is, where its Alembic folder lies, and what its own start-up gives Alembic."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Adopted:
    """A script folder of a project in requirements/NAME.txt.

    `scripts` and `ini` are paths below site-packages. `store` has further keys of [stores.postgres]. `variables` are
    what the application itself is told by: `{url}` in them is the database as libpq writes it, `{url:psycopg2}` with a
    driver. In setups/ are the module of `env_setup`, NAME.ini, an ini to put beside provision.toml, and NAME_first.py,
    what the application itself does with an empty database.
    """

    name: str
    package: str
    scripts: str
    needed: str
    ini: str = ""
    store: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    pins: str = ""  # requirements/PINS.txt, where it is not NAME
    server: str = "postgres_18"  # the fixture
    ci: bool = False


PROJECTS = (
    Adopted(
        "optuna",
        "optuna",
        "optuna/storages/_rdb/alembic",
        "path and ini",
        ini="optuna/storages/_rdb/alembic.ini",
        ci=True,
    ),
    Adopted(
        "prefect",
        "prefect",
        "prefect/server/database/_migrations",
        "path, ini, its own variable with the url; `env_setup` of 3 lines: an event loop",
        ini="prefect/server/database/alembic.ini",
        store={"env_setup": "prefect_setup:prepare"},
        variables={"PREFECT_API_DATABASE_CONNECTION_URL": "{url:asyncpg}"},
        server="postgres_15",  # it wants pg_trgm
        ci=True,
    ),
    Adopted(
        "mlflow",
        "mlflow",
        "mlflow/store/db_migrations",
        "path; its first tables, which MLflow makes before it runs Alembic",
        ci=True,
    ),
    Adopted(
        "airflow",
        "apache-airflow",
        "airflow/migrations",
        "path, ini, its own variable with the url",
        ini="airflow/alembic.ini",
        variables={"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "{url:psycopg2}", "AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
    ),
    Adopted(
        "phoenix",
        "arize-phoenix",
        "phoenix/db/migrations",
        'path, ini, `version_table_schema = ""`; `env_setup` of 4 lines: a connection',
        ini="phoenix/db/alembic.ini",
        store={"env_setup": "phoenix_setup:prepare", "version_table_schema": ""},
    ),
    Adopted(
        "nova",
        "nova",
        "nova/db/main/migrations",
        "path, ini",
        ini="nova/db/main/alembic.ini",
    ),
    Adopted(
        "nova-api",
        "nova",
        "nova/db/api/migrations",
        "path, ini",
        ini="nova/db/api/alembic.ini",
        pins="nova",
    ),
    Adopted(
        "keystone",
        "keystone",
        "keystone/common/sql/migrations",
        "path, an ini of 2 lines (`recursive_version_locations`); `env_setup` of 2 lines: its settings",
        store={"env_setup": "keystone_setup:prepare"},
    ),
)


def chosen() -> list[Adopted]:
    """Those that ADOPT names: all, `ci`, or names with commas between them. Raises ValueError for an unknown name."""
    wanted = os.environ.get("ADOPT", "") or "all"
    if wanted in ("all", "ci"):
        return [each for each in PROJECTS if each.ci or wanted == "all"]
    names = wanted.split(",")
    if unknown := sorted(set(names) - {each.name for each in PROJECTS}):
        raise ValueError(
            f"ADOPT names {', '.join(unknown)}; there are all, ci, {', '.join(each.name for each in PROJECTS)}"
        )
    return [each for each in PROJECTS if each.name in names]
