"""What every store must do, whatever it is: a package that brings a store runs the suite on a `Case` of its own.

from provision.testing.contract import Case, run_on
from provision.testing.contract.suite import *

class MyCase(Case): ...

pytest_generate_tests, bench = run_on({"my_store": MyCase})
"""

from provision.testing.contract.bench import Bench
from provision.testing.contract.case import NUMBERS, Case
from provision.testing.contract.running import needs, run_on

__all__ = ["NUMBERS", "Bench", "Case", "needs", "run_on"]
