"""What the operations of Redis documents leave on a server that began empty, as far as they bear on each other."""

from __future__ import annotations

from dataclasses import dataclass, field

from provision.documents.operation import World


@dataclass(slots=True)
class RedisWorld(World):
    """`families` are the key families of the catalogue: name → pattern, and where it is made."""

    families: dict[str, tuple[str, str]] = field(default_factory=dict)
