"""Every test of the suite, to be imported into a file of tests with `*`."""

from provision.testing.contract.crashes import *  # noqa: F403
from provision.testing.contract.leases import *  # noqa: F403
from provision.testing.contract.ledger import *  # noqa: F403
from provision.testing.contract.moves import *  # noqa: F403
from provision.testing.contract.peers import *  # noqa: F403
from provision.testing.contract.probes import *  # noqa: F403
from provision.testing.contract.schemas import *  # noqa: F403

# Their helpers stay behind.
__all__ = [name for name in dir() if name.startswith("test_")]
