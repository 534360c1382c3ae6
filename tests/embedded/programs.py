"""The engines that no wheel brings, and the program that each needs on PATH."""

from __future__ import annotations

from provision import kinds

PROGRAMS = {each.name: each.program for each in kinds.every() if each.program}
