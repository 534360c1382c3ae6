"""The operations, one subject a file; importing this makes them known."""

from tests.doubles.influx2.routes import about as about
from tests.doubles.influx2.routes import buckets as buckets
from tests.doubles.influx2.routes import data as data
from tests.doubles.influx2.routes import dbrps as dbrps
from tests.doubles.influx2.routes import orgs as orgs
from tests.doubles.influx2.routes import runs as runs
from tests.doubles.influx2.routes import tasks as tasks
from tests.doubles.influx2.routes import tokens as tokens
