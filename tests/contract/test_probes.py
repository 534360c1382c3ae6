"""Probes, on every store of the project."""

from provision.testing.contract.probes import *  # noqa: F403
