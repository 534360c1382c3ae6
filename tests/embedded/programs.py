"""Every engine, and the program that it needs on PATH where no wheel brings it."""

from __future__ import annotations

from provision import kinds

PROGRAMS = {each.name: each.program for each in kinds.every() if each.program}
"""Of the stores as they are usually."""
ENGINES = {name: kinds.engine(name)[1] for name in (*kinds.with_engine(), "influx2")}
