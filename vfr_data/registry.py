"""The registry of models: what is needed to serve one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from vfr_data.cache import Cache
from vfr_data.catalogue import FAMILIES
from vfr_data.database import Database
from vfr_data.errors import NotFound

_FAMILY = FAMILIES["model"]
# The names of the inputs in the order of the dataset that the model was trained on.
_LOAD = """
SELECT m.model_artifact_path AS model_path, m.hyperparameters,
    coalesce((
        SELECT array_agg(d.feature_name::text ORDER BY f.n)
        FROM ml_datasets s CROSS JOIN unnest(s.feature_ids) WITH ORDINALITY f(id, n)
        JOIN ml_feature_definitions d ON d.feature_id = f.id WHERE s.dataset_id = m.feature_set_id
    ), '{}') AS feature_names,
    jsonb_strip_nulls(jsonb_build_object('validation_score', m.validation_score, 'test_score', m.test_score))
        AS performance_metrics,
    (extract(epoch FROM m.updated_at) * 1000)::bigint AS last_updated
FROM ml_models m WHERE m.model_id = %s
"""
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "model_path": (str, type(None)),
    "hyperparameters": dict,
    "feature_names": list,
    "performance_metrics": dict,
    "last_updated": int,
}


@dataclass(frozen=True)
class Model:
    """A model as it is served. `model_path` names the file, which lies outside the databases; None: not recorded."""

    id: UUID
    model_path: str | None
    hyperparameters: Mapping[str, Any]
    feature_names: tuple[str, ...]
    performance_metrics: Mapping[str, float]
    last_updated: datetime


class ModelRegistry:
    """Loads models, from Redis for an hour after the first time."""

    def __init__(self, database: Database, cache: Cache | None = None) -> None:
        self._database, self._cache = database, cache

    async def load(self, model_id: UUID) -> Model:
        """The model of that id, as it was at most an hour ago. Raises NotFound."""
        key = _FAMILY.key(model_id=str(model_id))
        if self._cache and (found := await self._cache.get(key)):
            if all(isinstance(found.get(name), kind) for name, kind in _TYPES.items()):
                return _model(model_id, found)
            self._cache.refuse()
        async with self._database.transaction() as connection, connection.cursor(row_factory=dict_row) as cursor:
            row = await (await cursor.execute(_LOAD, [model_id])).fetchone()
        if row is None:
            raise NotFound(f"no model {model_id} in ml_models; give the model_id of one")
        if self._cache:
            await self._cache.set(key, row, _FAMILY.ttl)
        return _model(model_id, row)

    async def forget(self, model_id: UUID) -> None:
        """Have the next load read PostgreSQL; for after a change of the model."""
        if self._cache:
            key = _FAMILY.key(model_id=str(model_id))
            await self._cache.ask(lambda client: client.unlink(key))


def _model(model_id: UUID, row: Mapping[str, Any]) -> Model:
    return Model(
        model_id,
        row["model_path"],
        row["hyperparameters"],
        tuple(row["feature_names"]),
        row["performance_metrics"],
        datetime.fromtimestamp(row["last_updated"] / 1000, UTC),
    )
