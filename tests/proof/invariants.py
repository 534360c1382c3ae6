"""What must hold of the run protocol. Model and machine check it by the same ids; docs/invariants.md tells it."""

from __future__ import annotations

from collections.abc import Iterable

INVARIANTS = {
    "one-holder": "No two runs believe at the same time that they may send.",
    "tokens-grow": "No two runs that can still write share a token.",
    "no-statement-twice": "What took effect before a run looked is not sent again by it.",
    "in-flight-alone": "What an overtaken run still lands, where nothing can refuse it, is one statement in flight.",
    "late-writer-refused": "Where a store has a fence, no entry of an older token follows one of a newer.",
    "no-applied-lost": "What a ledger calls applied is there.",
    "claimed-is-seen": "What a run reports as done is so by the ledger of its store.",
    "one-order": "No statement is sent before what it requires is applied, none of a down while what requires it is.",
    "ledger-legal": "The entries of a revision are always a road through the table of transitions.",
    "resume-completes": "Whatever ended the runs, the next one brings all to its end, or refuses and changes nothing.",
}


class NotChecked(AssertionError):
    """An invariant of the list that no check looked at."""


def all_checked(checked: Iterable[str], wanted: Iterable[str] = INVARIANTS) -> None:
    """Raise NotChecked for invariants of the list that were not looked at, or that are not in the list."""
    seen, listed = set(checked), set(wanted)
    if seen != listed:
        raise NotChecked(f"not checked: {sorted(listed - seen)}; not in the list: {sorted(seen - listed)}")
