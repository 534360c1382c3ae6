"""Lines of files and functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.conftest import Tree
from tests.house.sizes import Sized, Spread, above, files, functions, spread
from tests.house.source import read

LONG = '''
@decorated
@twice(
    1,
)
def outer(
    value: int,
) -> int:
    """What it does."""

    async def inner() -> int:
        return value

    return inner


class Some:
    @property
    def one(self) -> int: ...

    class Inner:
        async def two(self) -> None:
            if self:
                def three() -> None: ...
'''


def test_functions_are_counted_from_def_to_last_line_with_those_inside_them(tree: Tree) -> None:
    found = functions(tree({"provision/a.py": LONG}))
    assert [(each.lines, each.name, each.place) for each in found] == [
        (9, "outer", "provision/a.py:6"),
        (3, "Some.Inner.two", "provision/a.py:22"),
        (2, "outer.inner", "provision/a.py:11"),
        (1, "Some.one", "provision/a.py:19"),
        (1, "Some.Inner.two.three", "provision/a.py:24"),
    ]


def test_functions_in_blocks_at_the_top_level_are_seen(tree: Tree) -> None:
    text = (
        "try:\n    def one(): ...\nexcept OSError:\n    def two(): ...\nif 1:\n    pass\nelse:\n    def three(): ...\n"
    )
    assert {each.name for each in functions(tree({"provision/a.py": text}))} == {"one", "two", "three"}


def test_files_are_listed_longest_first_and_an_empty_one_has_no_line(tree: Tree) -> None:
    found = files(tree({"provision/": "", "provision/b.py": "x = 1\n", "provision/deep/a.py": "x = 1\n\n# end"}))
    assert [(each.lines, each.place) for each in found] == [
        (3, "provision/deep/a.py"),
        (1, "provision/b.py"),
        (0, "provision/__init__.py"),
    ]


@pytest.mark.parametrize(
    ("lines", "median", "p90"),
    [([7], 7, 7), ([2, 1], 1, 2), ([1, 2, 3], 2, 3), (range(1, 11), 5, 9), (range(1, 102), 51, 91)],
)
def test_spread_is_that_of_the_nearest_rank(lines: list[int], median: int, p90: int) -> None:
    sized = [Sized(each, "", "") for each in lines]
    assert spread(sized) == Spread(len(lines), median, p90, sized[0] if len(lines) < 3 else sized[-1])


def test_spread_of_nothing_has_no_longest() -> None:
    assert spread([]) == Spread(0, 0, 0, None)


def test_as_long_as_the_limit_is_not_above_it() -> None:
    sized = [Sized(lines, "", "") for lines in (41, 40, 39)]
    assert above(sized, 40) == sized[:1]


def test_a_folder_without_python_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no Python file below"):
        read(tmp_path)
