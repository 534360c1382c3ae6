"""Market patterns in Weaviate: stored under a tenant, found by likeness to another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from vfr_data.errors import BadInput, NotFound, StorageError
from vfr_data.moments import aware
from vfr_data.numbers import is_finite

if TYPE_CHECKING:
    from weaviate.client import WeaviateAsyncClient
    from weaviate.collections.classes.filters import _Filters

ALIAS = "ProbabilisticPattern"
AT_ONCE = 200
_TEXTS = ("pattern_id", "symbol", "pattern_type", "market_regime")


@dataclass(frozen=True)
class Pattern:
    """One pattern. `vector` is compared by its direction, `uncertainty` by its size; scores are 0 to 1."""

    pattern_id: str
    symbol: str
    pattern_type: str
    market_regime: str
    confidence_score: float
    success_probability: float
    created_at: datetime
    vector: tuple[float, ...]
    uncertainty: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Near:
    """A pattern that is like another; `distance` is 0 (same direction) to 2 (opposite). Its vectors are not read."""

    pattern_id: str
    symbol: str
    pattern_type: str
    market_regime: str
    confidence_score: float
    success_probability: float
    created_at: datetime
    distance: float


class Patterns:
    """Patterns of one tenant: no call takes another. `client` is connected, with gRPC."""

    def __init__(self, client: "WeaviateAsyncClient", tenant_id: str) -> None:
        self._tenant = tenant_id
        self._patterns = client.collections.use(ALIAS).with_tenant(tenant_id)

    async def store(self, patterns: Sequence[Pattern]) -> None:
        """Store patterns; of one pattern_id the last stays. Raises BadInput, NotFound for a tenant that is not there.

        Sent in pieces of two hundred: after a StorageError send all again.
        """
        for each in patterns:
            _check(each)
        last = {each.pattern_id: each for each in patterns}
        for start in range(0, len(last), AT_ONCE):
            await self._insert(list(last.values())[start : start + AT_ONCE])

    async def nearest(
        self,
        vector: Sequence[float],
        limit: int = 10,
        *,
        symbol: str | None = None,
        market_regime: str | None = None,
        min_confidence: float | None = None,
    ) -> list[Near]:
        """The patterns most like a vector, nearest first, of those that the filters leave."""
        from weaviate.classes.query import MetadataQuery
        from weaviate.exceptions import WeaviateBaseError

        _finite(vector, "vector")
        if limit < 1:
            raise BadInput(f"limit is {limit}; give 1 or more")
        try:
            found = await self._patterns.query.near_vector(
                list(vector),
                limit=limit,
                target_vector="pattern_vector",
                filters=_filters(symbol, market_regime, min_confidence),
                return_metadata=MetadataQuery(distance=True),
            )
        except WeaviateBaseError as error:
            raise self._error(error) from error
        return [_near(each.properties, each.metadata.distance) for each in found.objects]

    async def forget(self, pattern_id: str) -> None:
        """Remove one, if it is there."""
        from weaviate.exceptions import WeaviateBaseError

        try:
            await self._patterns.data.delete_by_id(self._key(pattern_id))
        except WeaviateBaseError as error:
            raise self._error(error) from error

    async def _insert(self, patterns: Sequence[Pattern]) -> None:
        from weaviate.classes.data import DataObject
        from weaviate.exceptions import WeaviateBaseError

        objects = [
            DataObject(properties=_properties(each), uuid=self._key(each.pattern_id), vector=_vectors(each))
            for each in patterns
        ]
        try:
            answer = await self._patterns.data.insert_many(objects)
        except WeaviateBaseError as error:
            raise self._error(error) from error
        if answer.errors:
            place, first = next(iter(answer.errors.items()))
            what = f"{len(answer.errors)} of {len(patterns)} patterns, {patterns[place].pattern_id} first"
            if "tenant not found" in first.message:
                raise NotFound(f"Weaviate has no tenant {self._tenant!r}; add it to {ALIAS} first")
            raise BadInput(f"Weaviate refuses {what}: {first.message}; the others are stored, correct these")

    def _key(self, pattern_id: str) -> str:
        """The same pattern of the same tenant has the same id, so that storing it again replaces it."""
        return str(uuid5(NAMESPACE_URL, f"{self._tenant}/{pattern_id}"))

    def _error(self, error: Exception) -> Exception:
        text = getattr(error, "message", "") or str(error)
        if "tenant not found" in text:
            return NotFound(f"Weaviate has no tenant {self._tenant!r}; add it to {ALIAS} first")
        if "vector lengths don't match" in text or "dimension" in text:
            return BadInput(f"Weaviate: {text[:200]}; give a vector as long as those that are stored")
        return StorageError(f"Weaviate: {text[:300]}; look at the server and try again")


def _filters(symbol: str | None, regime: str | None, confidence: float | None) -> "_Filters | None":
    from weaviate.classes.query import Filter

    found: list[Any] = []
    if symbol is not None:
        found.append(Filter.by_property("symbol").equal(symbol))
    if regime is not None:
        found.append(Filter.by_property("market_regime").equal(regime))
    if confidence is not None:
        found.append(Filter.by_property("confidence_score").greater_or_equal(confidence))
    return Filter.all_of(found) if found else None


def _check(pattern: Pattern) -> None:
    aware(pattern.created_at, "created_at")
    for name in _TEXTS:
        if not getattr(pattern, name):
            raise BadInput(f"pattern {pattern.pattern_id!r}: {name} is empty")
    for name in ("confidence_score", "success_probability"):
        if not 0 <= getattr(pattern, name) <= 1:
            raise BadInput(f"pattern {pattern.pattern_id}: {name} is {getattr(pattern, name)}; give 0 to 1")
    _finite(pattern.vector, f"vector of {pattern.pattern_id}")
    if pattern.uncertainty is not None:
        _finite(pattern.uncertainty, f"uncertainty of {pattern.pattern_id}")


def _finite(vector: Sequence[float], name: str) -> None:
    # gRPC would store NaN, and REST then answers whole pages with nothing.
    if not len(vector) or not all(is_finite(each) for each in vector):
        raise BadInput(f"the {name} is empty or has what is no finite number")


def _vectors(pattern: Pattern) -> Any:
    found = {"pattern_vector": list(pattern.vector)}
    return found if pattern.uncertainty is None else {**found, "uncertainty_vector": list(pattern.uncertainty)}


def _properties(pattern: Pattern) -> Any:
    numbers = ("confidence_score", "success_probability", "created_at")
    return {name: getattr(pattern, name) for name in (*_TEXTS, *numbers)}


def _near(found: Any, distance: float | None) -> Near:
    pattern, symbol, kind, regime = (str(found[name]) for name in _TEXTS)
    confidence, success = float(found["confidence_score"]), float(found["success_probability"])
    at: datetime = found["created_at"].astimezone(UTC)
    return Near(pattern, symbol, kind, regime, confidence, success, at, float(distance or 0))
