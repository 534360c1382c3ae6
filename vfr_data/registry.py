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
from vfr_data.tasks import to_the_end

_FAMILY = FAMILIES["model"]
_LOOKS = 3
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
        if self._cache and (found := await self._cache.get(key)) is not None:
            if model := _cached(model_id, found):
                return model
            self._cache.refuse()
        row = await self._read(model_id)
        return _model(model_id, await to_the_end(self._keep(self._cache, model_id, row)) if self._cache else row)

    async def _read(self, model_id: UUID) -> dict[str, Any]:
        async with self._database.transaction() as connection, connection.cursor(row_factory=dict_row) as cursor:
            row = await (await cursor.execute(_LOAD, [model_id])).fetchone()
        if row is None:
            raise NotFound(f"no model {model_id} in ml_models; give the model_id of one")
        return row

    async def _keep(self, cache: Cache, model_id: UUID, row: dict[str, Any]) -> dict[str, Any]:
        """Keep a model, and look again: it may have been changed, and forgotten, before it was kept."""
        for _ in range(_LOOKS):
            if not await cache.set(_FAMILY.key(model_id=str(model_id)), row, _FAMILY.ttl):
                return row
            before, row = row, await self._read(model_id)
            if row == before:
                return row
        await self.forget(model_id)
        return row

    async def forget(self, model_id: UUID) -> None:
        """Have the next load read PostgreSQL; for after a change of the model."""
        if self._cache:
            key = _FAMILY.key(model_id=str(model_id))
            await self._cache.ask(lambda client: client.unlink(key))


def _cached(model_id: UUID, found: Mapping[str, Any]) -> Model | None:
    """The model of a cached object; None where a part is of another type."""
    if not all(isinstance(found.get(name), kind) for name, kind in _TYPES.items()):
        return None
    try:
        return _model(model_id, found)
    except (ValueError, OverflowError, OSError):  # a time that there is not
        return None


def _model(model_id: UUID, row: Mapping[str, Any]) -> Model:
    return Model(
        model_id,
        row["model_path"],
        row["hyperparameters"],
        tuple(row["feature_names"]),
        row["performance_metrics"],
        datetime.fromtimestamp(row["last_updated"] / 1000, UTC),
    )
