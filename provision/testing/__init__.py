"""For the tests of stores, other packages' too: the contract suite, a store in memory. Needs the extra `testing`."""

import pytest

# Before they are imported, so that what an assertion compared is shown.
pytest.register_assert_rewrite("provision.testing.contract")
