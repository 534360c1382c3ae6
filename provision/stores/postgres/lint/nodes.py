"""The nodes of PostgreSQL's parser, untyped: pglast types every field as one that may be missing."""

from __future__ import annotations

from typing import Any

from pglast import ast as _ast

ast: Any = _ast
