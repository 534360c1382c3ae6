"""The operations, one subject a file; importing this makes them known."""

from tests.doubles.arango.routes import about as about
from tests.doubles.arango.routes import analyzers as analyzers
from tests.doubles.arango.routes import collections as collections
from tests.doubles.arango.routes import cursors as cursors
from tests.doubles.arango.routes import databases as databases
from tests.doubles.arango.routes import documents as documents
from tests.doubles.arango.routes import graph_items as graph_items
from tests.doubles.arango.routes import graphs as graphs
from tests.doubles.arango.routes import imports as imports
from tests.doubles.arango.routes import indexes as indexes
from tests.doubles.arango.routes import users as users
from tests.doubles.arango.routes import views as views
