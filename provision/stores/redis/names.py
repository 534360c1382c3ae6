"""The names of this project's own keys. All begin with `provision:<project>:`, so that two projects share a server."""

from __future__ import annotations

from typing import NamedTuple

# Loops over keys pass these by: no pattern of a document may reach a ledger, a lease or a catalogue.
OWN = "provision:"


class Keys(NamedTuple):
    """The keys of one project and store."""

    project: str
    store: str

    @property
    def ledger(self) -> str:
        """Stream: one entry an event, its id is `<token>-<n>`."""
        return f"{OWN}{self.project}:ledger:{self.store}"

    @property
    def families(self) -> str:
        """Hash: name of a key family → canonical JSON of what it is."""
        return f"{OWN}{self.project}:key_families"

    @property
    def streams(self) -> str:
        """Hash: key of a stream → canonical JSON with `maxlen`, which its writers pass to XADD."""
        return f"{OWN}{self.project}:streams"

    @property
    def validation(self) -> str:
        """Stream: one entry a result of a data check."""
        return f"{OWN}{self.project}:validation"

    @property
    def maintenance(self) -> str:
        """Stream: two entries a run of a job, one when it begins, one when it ends."""
        return f"{OWN}{self.project}:maintenance:{self.store}"

    @property
    def config_before(self) -> str:
        """Hash: configuration parameter → the value that `set_config` found."""
        return f"{OWN}{self.project}:config_before"

    @property
    def begun(self) -> str:
        """Hash: digest of a list of raw commands of which one was refused → how many before it took effect."""
        return f"{OWN}{self.project}:begun"

    def lease(self, name: str) -> str:
        """Hash: who holds the lease, and the highest token ever given out for it."""
        return f"{OWN}{self.project}:lease:{name}"

    def highest(self, name: str) -> str:
        """String: the highest token ever given out for the lease, which outlives a hash that somebody deletes."""
        return f"{OWN}{self.project}:lease_highest:{name}"
