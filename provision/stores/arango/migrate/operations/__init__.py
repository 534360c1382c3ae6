"""Every operation of an ArangoDB document, by its name; one file each."""

from __future__ import annotations

from provision.stores.arango.migrate.operations.alter_graph import AlterGraph
from provision.stores.arango.migrate.operations.aql import Aql
from provision.stores.arango.migrate.operations.base import ArangoOperation
from provision.stores.arango.migrate.operations.create_analyzer import CreateAnalyzer
from provision.stores.arango.migrate.operations.create_collection import CreateCollection
from provision.stores.arango.migrate.operations.create_database import CreateDatabase
from provision.stores.arango.migrate.operations.create_graph import CreateGraph
from provision.stores.arango.migrate.operations.create_index import CreateIndex
from provision.stores.arango.migrate.operations.create_view import CreateView
from provision.stores.arango.migrate.operations.delete_documents import DeleteDocuments
from provision.stores.arango.migrate.operations.drop_analyzer import DropAnalyzer
from provision.stores.arango.migrate.operations.drop_collection import DropCollection
from provision.stores.arango.migrate.operations.drop_database import DropDatabase
from provision.stores.arango.migrate.operations.drop_graph import DropGraph
from provision.stores.arango.migrate.operations.drop_index import DropIndex
from provision.stores.arango.migrate.operations.drop_view import DropView
from provision.stores.arango.migrate.operations.insert_documents import InsertDocuments
from provision.stores.arango.migrate.operations.update_collection import UpdateCollection

OPERATIONS: dict[str, ArangoOperation] = {
    each.name: each
    for each in (
        CreateDatabase(),
        DropDatabase(),
        CreateCollection(),
        UpdateCollection(),
        DropCollection(),
        CreateIndex(),
        DropIndex(),
        CreateGraph(),
        AlterGraph(),
        DropGraph(),
        CreateView(),
        DropView(),
        CreateAnalyzer(),
        DropAnalyzer(),
        InsertDocuments(),
        DeleteDocuments(),
        Aql(),
    )
}
