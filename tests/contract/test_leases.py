"""Run locks, on every store of the project that keeps them."""

from provision.testing.contract.leases import *  # noqa: F403
