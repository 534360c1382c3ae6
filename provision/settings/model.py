"""What provision.toml says, checked, and one environment of it with every variable filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provision.model import StoreOptions
from provision.settings.secrets import Secret


@dataclass(frozen=True, slots=True)
class StorePlace:
    """Where one store is in one environment: a url, or switched off, or neither (embedded or not configured)."""

    url: Secret | None = None
    off: bool = False
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment with every variable resolved."""

    name: str
    embedded: bool
    places: Mapping[str, StorePlace]
    secrets: tuple[str, ...] = field(default=(), repr=False)
    hooks: Mapping[str, Secret] = field(default_factory=dict)
    """What is told of backfills and checks: on_start, on_pause, on_error, on_done → a url or a command."""
    options: frozenset[str] = frozenset()
    """The options of stores that it chooses."""

    def mask(self, text: str) -> str:
        """The text with every known secret value replaced, and what is written as one into a statement."""
        for secret in sorted(self.secrets, key=len, reverse=True):  # one may be the beginning of another
            text = text.replace(secret, "•••")
        if any(sign in text for sign in " '\"@"):
            from provision.text.credentials import hidden  # most that is shown is a name or a number

            text = hidden(text)
        return text


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """provision.toml, checked. `lease_seconds` is how long the run lock lives without a heartbeat."""

    file: Path
    name: str
    home: str
    stores: tuple[StoreOptions, ...]
    environments: Mapping[str, Mapping[str, Any]] = field(repr=False)  # as written: urls may hold passwords
    many_heads: frozenset[str] = frozenset()
    lease_seconds: float = 30.0
    forgoes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Store → the stores that it can do without where they are off."""
    options: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Option → ids of the revisions that are passed by where it is not chosen."""
    engines: Path | None = None
    """Where embedded engines keep their data, if not in `.provision` of the root."""
    lint: Mapping[str, str] = field(default_factory=dict)
    """Rule → off, warning or error, in every environment that says nothing else."""

    def lint_levels(self, environment: str | None) -> Mapping[str, str]:
        """Rule → its level in an environment, or in none."""
        named = self.environments.get(environment or "", {})
        is_store = any(each.name == "lint" for each in self.stores)
        return {**self.lint, **({} if is_store else named.get("lint", {}))}

    def refuses_drift(self, environment: str) -> bool:
        """Whether `up` refuses there to touch what was changed by hand."""
        is_store = any(each.name == "drift" for each in self.stores)
        return not is_store and self.environments.get(environment, {}).get("drift") == "refuse"

    @property
    def root(self) -> Path:
        return self.file.parent

    @property
    def local(self) -> Path:
        """Where the embedded engines keep their data."""
        return self.engines or self.root / ".provision"
