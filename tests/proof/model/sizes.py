"""The models that are explored: three groups of faults, each small for every commit and large by hand."""

from __future__ import annotations

from tests.proof.model.state import Settings

HANDS = Settings("hands", faults=frozenset({"kill", "hand", "freeze", "delete"}))
NETWORK = Settings("network", faults=frozenset({"kill", "hold", "freeze"}))
STORES = Settings("stores", faults=frozenset({"kill", "restore", "empty", "unseen"}))
GROUPS = (HANDS, NETWORK, STORES)

QUICK = tuple(each._replace(budget=1) for each in GROUPS)
SMALL = tuple(each._replace(budget=3) for each in GROUPS)
LARGE = tuple(each._replace(name=f"{each.name}, 3 runs", runs=3, budget=2) for each in GROUPS)

# Each mend can be switched off: what is then broken, in which group of faults.
SWITCHES = {
    "look-after-fence": (HANDS, "no-statement-twice"),
    "ask-back": (HANDS, "no-statement-twice"),
    "outlast-deleted": (HANDS, "one-holder"),
    "fence": (NETWORK, "late-writer-refused"),
    "second-look": (STORES, "claimed-is-seen"),
    "refuse-empty-peer": (STORES, "no-statement-twice"),
}
