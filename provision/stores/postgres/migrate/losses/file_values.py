"""The strings that an expression of a revision can stand for, told from the file without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from itertools import islice, product

from provision.stores.postgres.migrate.losses.loss import UNREAD

MOST = 64  # values of one expression; what is beyond them is one more that cannot be read
DEEPEST = 8
LONGEST = 20_000  # looks at expressions of one file: names that are assigned from each other multiply
_THROUGH = {"strip", "lstrip", "rstrip", "lower", "upper", "replace", "encode", "removesuffix", "removeprefix"}
_WRAPPERS = {"text", "dedent", "cleandoc", "str", "DDL", "SQL", "quoted_name", "Identifier", "f", "tuple", "list"}
_LISTS = {"sorted", "reversed", "list", "tuple", "set", "iter"}
_BRACES = re.compile(r"{([^{}]*)}")
_PERCENT = re.compile(r"%(?:\((\w+)\))?[sdr]")


class Values:
    """Every name of a file with what is assigned to it anywhere: constants, loops, arguments of the file's calls."""

    def __init__(self, module: ast.Module) -> None:
        self.functions = {each.name: each for each in ast.walk(module) if isinstance(each, ast.FunctionDef)}
        self.classes = {each.name: each for each in ast.walk(module) if isinstance(each, ast.ClassDef)}
        self._bound: dict[str, list[ast.expr]] = {}
        self._known: dict[str, list[str]] = {}
        self._under_way: set[str] = set()
        self._left = LONGEST
        for node in ast.walk(module):
            self._take(node)

    def of(self, name: str) -> list[ast.expr]:
        """What is assigned to a name."""
        return self._bound.get(name, [])

    def strings(self, node: ast.expr | None, depth: int = 0) -> list[str]:
        """The strings that `node` can be, with UNREAD for what code puts in; [UNREAD] for what is no text at all."""
        self._left -= 1
        if node is None or self._left < 0:
            return [UNREAD]
        found = list(dict.fromkeys(islice(self._strings(node, depth), MOST)))
        return found or [UNREAD]

    def elements(self, node: ast.expr, depth: int = 0) -> Iterator[ast.expr]:
        """What a loop over `node` goes through."""
        self._left -= 1
        if self._left < 0:
            return
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            yield from node.elts
        elif isinstance(node, ast.Dict):
            yield from (each for each in node.keys if each is not None)
        elif isinstance(node, ast.Name) and depth < DEEPEST:
            for each in self.of(node.id):
                yield from self.elements(each, depth + 1)
        elif isinstance(node, ast.Subscript) and depth < DEEPEST:
            for part in self._parts(node, depth + 1):
                if part is not None:
                    yield from self.elements(part, depth + 1)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and depth < DEEPEST:
            yield from self.elements(node.left, depth + 1)
            yield from self.elements(node.right, depth + 1)
        elif isinstance(node, ast.Call) and depth < DEEPEST:
            yield from self._elements_of_call(node, depth + 1)

    def _elements_of_call(self, node: ast.Call, depth: int) -> Iterator[ast.expr]:
        if isinstance(node.func, ast.Name) and node.func.id in _LISTS and node.args:
            yield from self.elements(node.args[0], depth)
        elif isinstance(node.func, ast.Attribute) and node.func.attr in ("keys", "values", "items"):
            for each in self._dicts(node.func.value):
                pairs = [(key, value) for key, value in zip(each.keys, each.values, strict=True) if key is not None]
                for key, value in pairs:
                    both = ast.Tuple([key, value], ast.Load())
                    yield {"keys": key, "values": value}.get(node.func.attr, both)

    def _dicts(self, node: ast.expr) -> list[ast.Dict]:
        found = self.of(node.id) if isinstance(node, ast.Name) else [node]
        return [each for each in found if isinstance(each, ast.Dict)]

    def _take(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr | ast.AugAssign) and node.value is not None:
            self._bind(node.target, node.value)
        elif isinstance(node, ast.For | ast.comprehension):
            self._loop(node.target, node.iter)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._bind(node.optional_vars, node.context_expr)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self.functions:
            self._call(self.functions[node.func.id].args, node)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._bound.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            for name, part in zip(target.elts, value.elts, strict=True):
                self._bind(name, part)

    def _loop(self, target: ast.expr, over: ast.expr) -> None:
        # Once more when it is asked for: a list may be assigned further down in the file.
        each = ast.Call(ast.Name("__each__", ast.Load()), [over], [])
        if isinstance(target, ast.Tuple):
            for place, part in enumerate(target.elts):
                index = ast.Subscript(each, ast.Constant(place), ast.Load())
                self._bind(part, index)
        else:
            self._bind(target, each)

    def _call(self, wanted: ast.arguments, call: ast.Call) -> None:
        for parameter, value in zip(wanted.args, call.args, strict=False):
            self._bind(ast.Name(parameter.arg, ast.Store()), value)
        for keyword in call.keywords:
            if keyword.arg is not None:
                self._bind(ast.Name(keyword.arg, ast.Store()), keyword.value)

    def _strings(self, node: ast.expr, depth: int) -> Iterator[str]:
        if depth > DEEPEST:
            yield UNREAD
        elif isinstance(node, ast.Constant):
            yield node.value if isinstance(node.value, str) else UNREAD if node.value is None else str(node.value)
        elif isinstance(node, ast.JoinedStr):
            parts = [each.value if isinstance(each, ast.FormattedValue) else each for each in node.values]
            yield from self._joined(parts, depth)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            yield from self._joined([node.left, node.right], depth)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            right = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
            pairs = zip(node.right.keys, node.right.values, strict=True) if isinstance(node.right, ast.Dict) else ()
            named = [ast.keyword(str(key.value), value) for key, value in pairs if isinstance(key, ast.Constant)]
            yield from self._filled(_PERCENT, node.left, right, named, depth)
        elif isinstance(node, ast.IfExp):
            yield from self._strings(node.body, depth + 1)
            yield from self._strings(node.orelse, depth + 1)
        elif isinstance(node, ast.Name):
            yield from self._named(node.id, depth)
        elif isinstance(node, ast.Subscript):
            for each in self._parts(node, depth):
                yield from self.strings(each, depth + 1)
        elif isinstance(node, ast.Call):
            yield from self._called(node, depth)
        else:
            yield UNREAD

    def _named(self, name: str, depth: int) -> list[str]:
        if name in self._under_way:
            return [UNREAD]  # assigned from itself
        if name not in self._known:
            self._under_way.add(name)
            found = [text for each in self.of(name)[:MOST] for text in self.strings(each, depth + 1)]
            self._under_way.discard(name)
            self._known[name] = list(dict.fromkeys(found))[:MOST]
        return self._known[name]

    def _parts(self, node: ast.Subscript, depth: int) -> Iterator[ast.expr | None]:
        """One part of each element of a loop, or of a tuple; None where it cannot be told."""
        place = node.slice.value if isinstance(node.slice, ast.Constant) else None
        for each in self._each(node.value, depth):
            parts = each.elts if isinstance(each, ast.Tuple | ast.List) else []
            yield parts[place] if isinstance(place, int) and place < len(parts) else None

    def _each(self, node: ast.expr, depth: int) -> Iterable[ast.expr]:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "__each__":
            return self.elements(node.args[0], depth + 1)
        return self.of(node.id) if isinstance(node, ast.Name) else [node]

    def _called(self, node: ast.Call, depth: int) -> Iterator[str]:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name == "__each__":
            for each in self.elements(node.args[0], depth + 1):
                yield from self._strings(each, depth + 1)
        elif isinstance(node.func, ast.Attribute) and name in _THROUGH:
            yield from self._strings(node.func.value, depth + 1)
        elif isinstance(node.func, ast.Attribute) and name == "format":
            yield from self._filled(_BRACES, node.func.value, node.args, node.keywords, depth)
        elif isinstance(node.func, ast.Attribute) and name == "join" and node.args:
            parts = list(self.elements(node.args[0]))
            between = self.strings(node.func.value, depth + 1)[0]
            yield between.join(self.strings(each, depth + 1)[0] for each in parts) if parts else UNREAD
        elif name in _WRAPPERS and node.args:
            yield from self._strings(node.args[0], depth + 1)
        else:
            yield UNREAD

    def _joined(self, parts: Iterable[ast.expr], depth: int) -> Iterator[str]:
        yield from map("".join, product(*(self.strings(each, depth + 1) for each in parts)))

    def _filled(
        self,
        places: re.Pattern[str],
        text: ast.expr,
        arguments: list[ast.expr],
        keywords: list[ast.keyword],
        depth: int,
    ) -> Iterator[str]:
        named = {each.arg: each.value for each in keywords}
        for found in self.strings(text, depth + 1):
            keys = [match[1] or str(place) for place, match in enumerate(places.finditer(found))]
            chosen = [
                named.get(key) or (arguments[int(key)] if key.isdigit() and int(key) < len(arguments) else None)
                for key in keys
            ]
            for values in product(*(self.strings(each, depth + 1) for each in chosen)):
                left = iter(values)
                yield places.sub(lambda _, left=left: next(left), found)  # type: ignore[misc]
