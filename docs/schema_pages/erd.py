"""Entity diagrams in Mermaid, one for each domain. PK of a ClickHouse table is its sort key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .model import Column, Reference, Relation

# Domain → the tables it owns; views and tables of other domains appear as names alone.
POSTGRES = {
    "tenancy": ["tenants", "tenant_roles", "users", "trading_decisions"],
    "probability": [
        "probabilistic_models",
        "user_probability_preferences",
        "model_training_history",
        "probability_config_templates",
    ],
    "features": [
        "ml_feature_definitions",
        "ml_feature_dependencies",
        "ml_feature_store",
        "mv_daily_features",
        "mv_daily_feature_days",
        "ml_enhancement_definitions",
        "ml_enhancement_store",
    ],
    "datasets": ["ml_datasets", "ml_feature_pipelines", "ml_data_lineage"],
    "models": ["ml_models", "ml_model_metrics", "ml_model_deployments", "ml_ab_experiments", "ml_predictions"],
    "backtesting": ["ml_backtesting_experiments", "ml_backtesting_results", "ml_backtesting_metrics"],
}
CLICKHOUSE = "analytics"
_SHORT = {
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "character varying": "varchar",
    "double precision": "float8",
}


def diagrams(postgres: Sequence[Relation], clickhouse: Sequence[Relation]) -> dict[str, str]:
    """Domain → text of its .mmd file. Raises ValueError for a table without domain, and the reverse."""
    tables = {each.name: each for each in postgres if each.kind.endswith("table")}
    owned = [name for names in POSTGRES.values() for name in names]
    if set(owned) != set(tables):
        strange = ", ".join(sorted(set(owned) ^ set(tables)))
        raise ValueError(f"docs/schema_pages/erd.py: POSTGRES and the live tables differ in {strange}")
    made = {domain: _diagram([tables[name] for name in names]) for domain, names in POSTGRES.items()}
    stored = [each for each in clickhouse if each.kind == "table"]
    feeds = [reference for each in clickhouse for reference in each.references]
    return made | {CLICKHOUSE: _diagram(stored, feeds)}


def _diagram(tables: Sequence[Relation], more: Sequence[Reference] = ()) -> str:
    inside = {each.name for each in tables}
    lines = ["%% Written by docs/generate_schema.py", "erDiagram"]
    for table in tables:
        lines += [f"    {table.name} {{", *(f"        {line}" for line in _attributes(table)), "    }"]
    references = [*(each for table in tables for each in table.references), *more]
    for outside in sorted({each.parent for each in references} - inside):
        lines.append(f"    {outside}")
    for each in references:
        # A view writes many rows for many.
        ends = ("}o", "o{") if each in more else ("|o" if each.optional else "||", "o{")
        lines.append(
            f"    {each.parent} {'--'.join(ends)} {each.child} : {each.name.removeprefix(f'fk_{each.child}_')}"
        )
    return "\n".join(lines) + "\n"


def _attributes(table: Relation) -> Iterator[str]:
    for column in table.columns:
        marks = f" {', '.join(column.marks)}" if column.marks else ""
        yield f"{_type(column)} {column.name}{marks}"


def _type(column: Column) -> str:
    """The type in the letters that Mermaid allows: no commas, blanks or quotes."""
    text = re.sub(r"^(LowCardinality|Nullable)\((.*)\)$", r"\2", column.type)
    text = re.sub(r"^SimpleAggregateFunction\(\w+, (.*)\)$", r"\1", text)
    for long, short in _SHORT.items():
        text = text.replace(long, short)
    array = "[]" if text.endswith("[]") or text.startswith("Array(") else ""
    name = re.match(r"\w+", re.sub(r"^Array\((LowCardinality\()?", "", text))
    if name is None:
        raise ValueError(f"column {column.name} has the type {column.type!r}, which begins with no name")
    return f"{name[0]}{array}"
