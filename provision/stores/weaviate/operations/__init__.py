"""Every operation of a Weaviate document, by its name; one file each."""

from __future__ import annotations

from provision.stores.weaviate.operations.add_property import AddProperty
from provision.stores.weaviate.operations.add_vector import AddVector
from provision.stores.weaviate.operations.base import WeaviateOperation
from provision.stores.weaviate.operations.create_alias import CreateAlias
from provision.stores.weaviate.operations.create_collection import CreateCollection
from provision.stores.weaviate.operations.create_tenants import CreateTenants
from provision.stores.weaviate.operations.delete_alias import DeleteAlias
from provision.stores.weaviate.operations.delete_collection import DeleteCollection
from provision.stores.weaviate.operations.delete_tenants import DeleteTenants
from provision.stores.weaviate.operations.drop_property_index import DropPropertyIndex
from provision.stores.weaviate.operations.move_alias import MoveAlias
from provision.stores.weaviate.operations.replace_collection import INNER, ReplaceCollection
from provision.stores.weaviate.operations.rest import Rest
from provision.stores.weaviate.operations.update_collection import UpdateCollection
from provision.stores.weaviate.operations.update_tenants import UpdateTenants

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
