"""Components and what depends on what, in ArangoDB; how confidence passes along the graph."""

import asyncio
import heapq
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from uuid import UUID

from vfr_data.errors import BadInput, NotFound, StorageError
from vfr_data.moments import Clock, now

if TYPE_CHECKING:
    from arango.database import StandardDatabase

Result = TypeVar("Result")
NODES, EDGES, STEPS = "probabilistic_nodes", "probability_dependencies", "confidence_propagation"
DEPTH = 10
_REACHED = f"""
FOR v, e, p IN 1..@depth OUTBOUND @start {EDGES}
  FILTER e.tenant_id == @tenant AND v.tenant_id == @tenant
  RETURN DISTINCT {{from: PARSE_IDENTIFIER(e._from).key, to: PARSE_IDENTIFIER(e._to).key,
    impact: e.confidence_impact, uncertainty: e.uncertainty_propagation}}
"""


@dataclass(frozen=True)
class Component:
    """A component of the pipeline. `type`: indicator, ml_model, ensemble, meta or adaptive; contributions 0 to 1."""

    key: str
    type: str
    name: str
    confidence: float
    uncertainty: float


@dataclass(frozen=True)
class Dependency:
    """`target` takes its input from `source`; weight and the shares of confidence and uncertainty that pass: 0 to 1."""

    source: str
    target: str
    type: str
    weight: float
    confidence_impact: float
    uncertainty_propagation: float


class Step(NamedTuple):
    """Confidence as it passed from one component to another; all 0 to 1."""

    source: str
    target: str
    confidence_in: float
    confidence_out: float
    uncertainty_added: float


class Dependencies:
    """The graph of one tenant: no call reads or writes another's. `database` is python-arango's."""

    def __init__(self, database: "StandardDatabase", tenant_id: str, clock: Clock = now) -> None:
        # Its methods are typed for asynchronous jobs and batches too.
        self._database: Any = database
        self._tenant, self._clock = tenant_id, clock

    async def put(self, components: Sequence[Component], dependencies: Sequence[Dependency]) -> None:
        """Write components, then dependencies; what is there under the same key is replaced.

        Raises BadInput for what the schema of a collection refuses; the others of the same collection are written.
        """
        at = _text(self._clock())
        nodes = [
            {
                "_key": self._key(each.key),
                "component_type": each.type,
                "component_name": each.name,
                "confidence_contribution": each.confidence,
                "uncertainty_contribution": each.uncertainty,
                "tenant_id": self._tenant,
                "last_updated": at,
            }
            for each in components
        ]
        await self._write(NODES, nodes)
        await self._write(EDGES, [self._edge(each, at) for each in dependencies])

    async def propagate(self, component: str, confidence: float, depth: int = 5) -> list[Step]:
        """How a confidence passes from a component to all that depend on it, at most `depth` steps away.

        Of several ways to a component the one that leaves most confidence counts: confidence_out is confidence_in times
        the impact of the edge, uncertainty_added what was lost times its propagation. Strongest first.
        """
        if not 0 <= confidence <= 1 or not 1 <= depth <= DEPTH:
            raise BadInput(f"confidence {confidence} and depth {depth}; give 0 to 1, and 1 to {DEPTH}")
        start = self._key(component)
        node = await self._call(lambda: self._database.collection(NODES).get(start))
        if not node or node["tenant_id"] != self._tenant:
            raise NotFound(f"tenant {self._tenant} has no component {component!r}; put it first")
        asked = {"start": f"{NODES}/{start}", "depth": depth, "tenant": self._tenant}
        edges = await self._call(lambda: list(self._database.aql.execute(_REACHED, bind_vars=asked)))
        return [
            each._replace(source=self._name(each.source), target=self._name(each.target))
            for each in _strongest(start, confidence, depth, edges)
        ]

    async def record(self, decision_id: UUID, steps: Sequence[Step]) -> None:
        """Keep the steps of a decision; to record them again changes nothing."""
        at = _text(self._clock())
        edges = [
            {
                "_key": f"{decision_id}-{self._key(each.source)}-{self._key(each.target)}",
                "_from": f"{NODES}/{self._key(each.source)}",
                "_to": f"{NODES}/{self._key(each.target)}",
                "decision_id": str(decision_id),
                "confidence_in": each.confidence_in,
                "confidence_out": each.confidence_out,
                "uncertainty_added": each.uncertainty_added,
                "tenant_id": self._tenant,
                "propagated_at": at,
            }
            for each in steps
        ]
        await self._write(STEPS, edges)

    def _edge(self, each: Dependency, at: str) -> dict[str, Any]:
        source, target = self._key(each.source), self._key(each.target)
        return {
            "_key": f"{source}-{target}",
            "_from": f"{NODES}/{source}",
            "_to": f"{NODES}/{target}",
            "dependency_type": each.type,
            "weight": each.weight,
            "confidence_impact": each.confidence_impact,
            "uncertainty_propagation": each.uncertainty_propagation,
            "tenant_id": self._tenant,
            "created_at": at,
        }

    def _key(self, name: str) -> str:
        """The tenant is part of the key, so that two may name a component alike."""
        if not name or not all(each.isascii() and (each.isalnum() or each in "_.") for each in name):
            raise BadInput(f"{name!r} is no name of a component; give letters, digits, _ and .")
        return f"{self._tenant}:{name}"

    def _name(self, key: str) -> str:
        return key.removeprefix(f"{self._tenant}:")

    async def _write(self, collection: str, documents: Sequence[dict[str, Any]]) -> None:
        if not documents:
            return
        made = await self._call(
            lambda: self._database.collection(collection).import_bulk(
                list(documents), on_duplicate="replace", halt_on_error=False, details=True
            )
        )
        if made["errors"]:
            why = "; ".join(made.get("details") or ["no reason given"])[:300]
            raise BadInput(f"{collection} refuses {made['errors']} of {len(documents)}: {why}; correct them")

    async def _call(self, work: Callable[[], Result]) -> Result:
        from arango.exceptions import ArangoError

        try:
            return await asyncio.to_thread(work)
        except (ArangoError, OSError) as error:
            raise StorageError(f"ArangoDB: {str(error)[:300]}; look at the server and try again") from error


def _strongest(start: str, confidence: float, depth: int, edges: Sequence[dict[str, Any]]) -> list[Step]:
    """The edge by which each component is reached with the most confidence, strongest first."""
    leaving: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in edges:
        leaving[each["from"]].append(each)
    found: list[Step] = []
    reached = {start}
    # Largest product first; of equal ones by name, so that the answer is always the same.
    number = count()
    waiting = [
        (-confidence * each["impact"], 1, each["to"], start, next(number), confidence, each) for each in leaving[start]
    ]
    heapq.heapify(waiting)
    while waiting:
        lost, steps, target, source, _, before, edge = heapq.heappop(waiting)
        if target in reached:
            continue
        reached.add(target)
        found.append(Step(source, target, before, -lost, (before + lost) * edge["uncertainty"]))
        if steps < depth:
            for each in leaving[target]:
                way = (lost * each["impact"], steps + 1, each["to"], target, next(number), -lost, each)
                heapq.heappush(waiting, way)
    return found


def _text(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
