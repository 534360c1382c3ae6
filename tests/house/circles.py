"""Import circles: modules that need each other, so that none can be understood, tested or moved by itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from tests.house.imports import Import

Graph = Mapping[str, Collection[str]]
"""Module → the modules that it imports."""


@dataclass(frozen=True)
class Circle:
    """Modules each of which reaches each other one, and the shortest ways round."""

    members: tuple[str, ...]
    chains: tuple[tuple[Import, ...], ...]  # each goes from a module back to it; together they use every import inside


def circles(imports: Iterable[Import]) -> list[Circle]:
    """Every circle, largest first."""
    by_pair = {(each.importer, each.imported): each for each in imports}
    graph: dict[str, list[str]] = {}
    for importer, imported in by_pair:
        graph.setdefault(importer, []).append(imported)
        graph.setdefault(imported, [])
    found = [_circle(members, by_pair) for members in _components(graph) if len(members) > 1]
    return sorted(found, key=lambda circle: (-len(circle.members), circle.members))


def _circle(members: Collection[str], by_pair: Mapping[tuple[str, str], Import]) -> Circle:
    inside = {member: sorted(b for a, b in by_pair if a == member and b in members) for member in sorted(members)}
    rounds = {_turned([a, *_path(inside, b, a)[:-1]]) for a, reached in inside.items() for b in reached}
    chains = (
        tuple(by_pair[a, b] for a, b in zip(each, (*each[1:], each[0]), strict=True))
        for each in sorted(rounds, key=lambda names: (len(names), names))
    )
    return Circle(tuple(inside), tuple(chains))


def _turned(names: list[str]) -> tuple[str, ...]:
    """The same way round, begun at the name that sorts first."""
    first = names.index(min(names))
    return (*names[first:], *names[:first])


def _path(graph: Graph, start: str, end: str) -> list[str]:
    """A shortest path from `start` to `end`, both included. There must be one."""
    before: dict[str, str] = {start: start}
    waiting = deque([start])
    while end not in before:
        here = waiting.popleft()
        for each in graph[here]:
            if each not in before:
                before[each] = here
                waiting.append(each)
    path = [end]
    while path[-1] != start:
        path.append(before[path[-1]])
    return path[::-1]


def _components(graph: Graph) -> list[set[str]]:
    """The strongly connected components, by the two passes of Kosaraju: no recursion, so that depth does not matter."""
    turned: dict[str, list[str]] = {each: [] for each in graph}
    for importer, reached in graph.items():
        for each in reached:
            turned[each].append(importer)
    seen: set[str] = set()
    order = [each for start in graph for each in _finished(graph, start, seen)]
    seen = set()
    found = (set(_finished(turned, start, seen)) for start in reversed(order))
    return [each for each in found if each]


def _finished(graph: Graph, start: str, seen: set[str]) -> list[str]:
    """What is reached from `start` and not yet `seen`, each after all that it reaches; adds them to `seen`."""
    if start in seen:
        return []
    seen.add(start)
    done: list[str] = []
    waiting = [(start, iter(graph[start]))]
    while waiting:
        here, reached = waiting[-1]
        following = next((each for each in reached if each not in seen), None)
        if following is None:
            done.append(here)
            waiting.pop()
        else:
            seen.add(following)
            waiting.append((following, iter(graph[following])))
    return done
