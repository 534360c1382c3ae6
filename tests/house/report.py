"""All measures of one tree, as a page for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.house import circles, names, sizes
from tests.house.circles import Circle
from tests.house.imports import Import, imports
from tests.house.names import RULE, Meanings, Shared
from tests.house.sizes import Sized, Spread, above, spread
from tests.house.source import Modules

FILE_LINES = 400
FUNCTION_LINES = 40


@dataclass(frozen=True)
class Limits:
    """Files and functions of more lines are listed."""

    file: int = FILE_LINES
    function: int = FUNCTION_LINES


@dataclass(frozen=True)
class Measures:
    """What is measured of a tree."""

    paths: Mapping[str, str]  # module → file
    files: Sequence[Sized]
    functions: Sequence[Sized]
    circles: Sequence[Circle]
    two_meanings: Sequence[Meanings]
    stores: Sequence[str]
    own_folder: Shared
    every_folder: Shared


def measure(modules: Modules) -> Measures:
    """Every measure of these modules."""
    return Measures(
        {each.name: each.path for each in modules.values()},
        sizes.files(modules),
        sizes.functions(modules),
        circles.circles(imports(modules)),
        names.two_meanings(modules),
        names.stores(modules),
        names.own_folder(modules),
        names.every_folder(modules),
    )


def page(found: Measures, limits: Limits, *, everything: bool = False) -> str:
    """What people read; `everything` adds the names that one store alone has."""
    sections = (
        _sizes(found),
        _long("file", found.files, limits.file),
        _long("function", found.functions, limits.function),
        _folders(found, everything=everything),
        _circles(found),
        _meanings(found),
    )
    return "\n\n".join("\n".join(each) for each in sections)


def as_json(found: Measures, limits: Limits) -> dict[str, Any]:
    """What programs read; every list is whole."""
    return {
        "lines": sum(each.lines for each in found.files),
        "files": {**_spread_json(spread(found.files)), "above": _above_json(found.files, limits.file)},
        "functions": {**_spread_json(spread(found.functions)), "above": _above_json(found.functions, limits.function)},
        "stores": list(found.stores),
        "names": {"own_folder": _shared_json(found.own_folder), "every_folder": _shared_json(found.every_folder)},
        "circles": [
            {"members": list(each.members), "chains": [[asdict(one) for one in chain] for chain in each.chains]}
            for each in found.circles
        ],
        "two_meanings": {each.name: list(each.modules) for each in found.two_meanings},
    }


def chain_text(chain: Sequence[Import], paths: Mapping[str, str]) -> str:
    """One way round a circle: each file with the line of the import that leads on; a lazy one is told."""
    steps = (f"{paths[each.importer]}:{each.line}{' (in a function)' if each.lazy else ''}" for each in chain)
    return " → ".join((*steps, paths[chain[0].importer]))


def _sizes(found: Measures) -> Iterator[str]:
    lines = sum(each.lines for each in found.files)
    yield f"provision/: {len(found.files):,} files, {lines:,} lines"
    yield ""
    yield f"{'lines of':<10} {'count':>6} {'median':>6} {'9 of 10 ≤':>9} {'longest':>7}"
    for name, sized in (("files", found.files), ("functions", found.functions)):
        this = spread(sized)
        row = f"{name:<10} {this.count:>6,} {this.median:>6} {this.p90:>9}"
        yield f"{row} {this.longest.lines:>7}  {_shown(this.longest)}" if this.longest else row


def _long(what: str, sized: Sequence[Sized], limit: int) -> Iterator[str]:
    long = above(sized, limit)
    yield f"{what}s of more than {limit} lines: {len(long) or 'none'}"
    yield from (f"  {each.lines:>4}  {_shown(each)}" for each in long)


def _shown(sized: Sized) -> str:
    return sized.place if sized.name == sized.place else f"{sized.place} {sized.name}"


def _folders(found: Measures, *, everything: bool) -> Iterator[str]:
    yield f"names of files and folders in provision/stores/*/ ({len(found.stores)} stores)"
    yield ""
    yield f"{'':<20} {'names':>6} {'in all':>6} {'in one':>6}  in one store alone"
    for where, shared in (("the store's folder", found.own_folder), ("and the ones below", found.every_folder)):
        alone = {kind: len(each) for kind, each in shared.in_one.items()}
        counts = ", ".join(f"{kind} {count}" for kind, count in alone.items())
        yield f"{where:<20} {shared.names:>6} {len(shared.in_all):>6} {sum(alone.values()):>6}  {counts}"
    yield ""
    yield f"in all: {' '.join(found.every_folder.in_all) or 'none'}"
    if everything:
        yield from (f"in {kind} alone: {' '.join(each)}" for kind, each in found.every_folder.in_one.items() if each)
    yield "What is in a folder `operations` is left out: an operation is a store's own by nature."


def _circles(found: Measures) -> Iterator[str]:
    yield f"import circles: {len(found.circles) or 'none'}"
    for circle in found.circles:
        yield f"  {len(circle.members)} files"
        yield from (f"    {chain_text(each, found.paths)}" for each in circle.chains)
    yield "Imports in functions count, those under `if TYPE_CHECKING` do not."


def _meanings(found: Measures) -> Iterator[str]:
    yield f"class names with two meanings: {len(found.two_meanings) or 'none'}"
    width = max((len(each.name) for each in found.two_meanings), default=0)
    for each in found.two_meanings:
        yield f"  {each.name:<{width}}  {', '.join(found.paths[module] for module in each.modules)}"
    yield RULE


def _spread_json(this: Spread) -> dict[str, Any]:
    return asdict(this)


def _above_json(sized: Sequence[Sized], limit: int) -> dict[str, Any]:
    return {"limit": limit, "list": [asdict(each) for each in above(sized, limit)]}


def _shared_json(shared: Shared) -> dict[str, Any]:
    return asdict(shared)
