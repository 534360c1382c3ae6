"""Up and down, on every store of the project."""

from provision.testing.contract.moves import *  # noqa: F403
