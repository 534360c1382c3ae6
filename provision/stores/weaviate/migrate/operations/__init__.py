"""Every operation of a Weaviate document, by its name; one file each."""

from __future__ import annotations

from provision.stores.weaviate.migrate.operations.add_property import AddProperty
from provision.stores.weaviate.migrate.operations.add_vector import AddVector
from provision.stores.weaviate.migrate.operations.base import WeaviateOperation
from provision.stores.weaviate.migrate.operations.create_alias import CreateAlias
from provision.stores.weaviate.migrate.operations.create_collection import CreateCollection
from provision.stores.weaviate.migrate.operations.create_tenants import CreateTenants
from provision.stores.weaviate.migrate.operations.delete_alias import DeleteAlias
from provision.stores.weaviate.migrate.operations.delete_collection import DeleteCollection
from provision.stores.weaviate.migrate.operations.delete_tenants import DeleteTenants
from provision.stores.weaviate.migrate.operations.drop_property_index import DropPropertyIndex
from provision.stores.weaviate.migrate.operations.move_alias import MoveAlias
from provision.stores.weaviate.migrate.operations.replace_collection import INNER, ReplaceCollection
from provision.stores.weaviate.migrate.operations.rest import Rest
from provision.stores.weaviate.migrate.operations.update_collection import UpdateCollection
from provision.stores.weaviate.migrate.operations.update_tenants import UpdateTenants

OPERATIONS: dict[str, WeaviateOperation] = {
    each.name: each
    for each in (
        CreateCollection(),
        UpdateCollection(),
        DeleteCollection(),
        AddProperty(),
        DropPropertyIndex(),
        AddVector(),
        CreateAlias(),
        MoveAlias(),
        DeleteAlias(),
        CreateTenants(),
        UpdateTenants(),
        DeleteTenants(),
        ReplaceCollection(),
        *INNER,
        Rest(),
    )
}
