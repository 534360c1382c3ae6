"""Ledgers, on every store of the project."""

from provision.testing.contract.ledger import *  # noqa: F403
