"""What must be there before a recorded request makes sense, by the name of the exchange.

A ground builds it on an empty double and tells which recorded ids and revisions stand for which of the double's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.doubles_tests.wire import Wire

Ground = Callable[[Wire], Mapping[str, str]]
_SOCIAL = {"collection": "relation", "from": ["female", "male"], "to": ["female", "male"]}
_LINKS = {"books": {"fields": {"title": {"analyzers": ["text_en"]}}}}


def collection(wire: Wire, name: str, **properties: Any) -> Any:
    return wire.made("POST", "/_api/collection", {"name": name, **properties})


def document(wire: Wire, name: str, **body: Any) -> Any:
    return wire.made("POST", f"/_api/document/{name}", body)


def products(*keys: str, sync: bool = False, recorded: str = "", **body: Any) -> Ground:
    """The collection `products` with documents of these keys; `recorded` is its id on record."""

    def ground(wire: Wire) -> Mapping[str, str]:
        made = collection(wire, "products", waitForSync=sync)
        for key in keys:
            document(wire, "products", _key=key, **body)
        return {recorded: made["id"]} if recorded else {}

    return ground


def revisions(keys: Mapping[str, str], sync: bool = False) -> Ground:
    """`products` with documents whose recorded revisions are known: key → revision."""

    def ground(wire: Wire) -> Mapping[str, str]:
        collection(wire, "products", waitForSync=sync)
        return {recorded: document(wire, "products", _key=key, hello="world")["_rev"] for key, recorded in keys.items()}

    return ground


def social(*edges: str) -> Ground:
    """The graph of friends, with one edge of each of these keys."""

    def ground(wire: Wire) -> Mapping[str, str]:
        wire.made("POST", "/_api/gharial", {"name": "social", "edgeDefinitions": [_SOCIAL]})
        for kind, key in (("female", "alice"), ("male", "bob"), ("male", "charly"), ("female", "diana")):
            wire.made("POST", f"/_api/gharial/social/vertex/{kind}", {"_key": key, "name": key.title()})
        for key in edges:
            ends = {"_from": "male/charly", "_to": "female/diana"}
            edge = {"_key": key, "type": "married", "vertex": "charly", **ends}
            wire.made("POST", "/_api/gharial/social/edge/relation", edge)
        return {}

    return ground


def with_orphan(wire: Wire) -> Mapping[str, str]:
    social()(wire)
    wire.made("POST", "/_api/gharial/social/vertex", {"collection": "otherNodes"})
    return {}


def two_graphs(wire: Wire) -> Mapping[str, str]:
    social()(wire)
    ends = (("frenchHighway", ["frenchCity"]), ("germanHighway", ["germanCity"]))
    definitions = [{"collection": name, "from": cities, "to": cities} for name, cities in ends]
    wire.made("POST", "/_api/gharial", {"name": "routeplanner", "edgeDefinitions": definitions})
    return {}


def analyzer(wire: Wire) -> Mapping[str, str]:
    wire.made("POST", "/_api/analyzer", {"name": "testAnalyzer", "type": "identity"})
    return {}


def system_collection(wire: Wire) -> Mapping[str, str]:
    collection(wire, "_example", isSystem=True)
    return {}


def database(wire: Wire) -> Mapping[str, str]:
    wire.made("POST", "/_db/_system/_api/database", {"name": "example"})
    return {}


def edges(wire: Wire) -> Mapping[str, str]:
    collection(wire, "nodes")
    collection(wire, "edges", type=3)
    for key, start, end in (("5", 1, 3), ("6", 2, 1), ("7", 4, 1)):
        ends = {"_from": f"nodes/{start}", "_to": f"nodes/{end}", "$label": f"v{start} -> v{end}"}
        document(wire, "edges", _key=key, **ends)
    return {}


def indexes(wire: Wire) -> Mapping[str, str]:
    collection(wire, "products")
    stands_for = {}
    for recorded, field, sparse in (("73870", "name", False), ("73874", "price", True)):
        made = _index(wire, "products", type="persistent", fields=[field], sparse=sparse)
        stands_for[recorded] = made["id"].split("/")[1]
    return stands_for


def an_index(wire: Wire) -> Mapping[str, str]:
    collection(wire, "products")
    made = _index(wire, "products", type="persistent", fields=["a"], unique=True)
    return {"73910": made["id"].split("/")[1]}


def view(recorded: str = "", links: bool = False) -> Ground:
    """The view `productsView`, over the collection `books` if it links one."""

    def ground(wire: Wire) -> Mapping[str, str]:
        collection(wire, "products")
        collection(wire, "books")
        body = {"name": "productsView", "type": "arangosearch", "links": _LINKS if links else {}}
        made = wire.made("POST", "/_api/view", body)
        return {recorded: made["id"]} if recorded else {}

    return ground


def alias(index: str) -> Ground:
    """The view `productsView` as an alias of one of two inverted indexes."""

    def ground(wire: Wire) -> Mapping[str, str]:
        collection(wire, "books")
        for name, field in (("inv-idx", "a"), ("inv_title", "title"), ("inv_descr", "description")):
            _index(wire, "books", type="inverted", fields=[field], name=name)
        body = {"name": "productsView", "type": "search-alias", "indexes": [{"collection": "books", "index": index}]}
        wire.made("POST", "/_api/view", body)
        return {}

    return ground


def named(*collections: str, kind: int = 2) -> Ground:
    """Empty collections."""

    def ground(wire: Wire) -> Mapping[str, str]:
        for name in collections:
            collection(wire, name, type=kind)
        return {}

    return ground


def nothing(wire: Wire) -> Mapping[str, str]:
    del wire
    return {}


def _index(wire: Wire, place: str, **body: Any) -> Any:
    return wire.made("POST", f"/_api/index?collection={place}", body)


_HANDLER = "RestDocumentHandler"
GROUNDS: dict[str, Ground] = {
    "HttpGharialAddEdgeCol": social(),
    "HttpGharialAddEdge": social(),
    "HttpGharialCreateDisjointSmart": nothing,
    "HttpGharialCreateEnterprise": nothing,
    "HttpGharialCreate": nothing,
    "HttpGharialDeleteEdge": social("73533"),
    "HttpGharialDeleteVertex": social(),
    "HttpGharialEdgeDefinitionRemove": social(),
    "HttpGharialGetEdge": social("73270"),
    "HttpGharialGetVertex": social(),
    "HttpGharialListVertex": social(),
    "HttpGharialList": two_graphs,
    "HttpGharialModifyVertex": social(),
    "HttpGharialPatchEdge": social("73353"),
    "HttpGharialRemoveVertexCollectionFailed": social(),
    "HttpGharialRemoveVertexCollection": with_orphan,
    "HttpGharialReplaceVertex": social(),
    "RestAnalyzerDelete": analyzer,
    "RestAnalyzerGet": analyzer,
    "RestAnalyzersGet": nothing,
    "RestCollectionDeleteCollectionIdentifier": products(recorded="70184"),
    "RestCollectionDeleteCollectionSystem": system_collection,
    "RestCollectionGetAllCollections": named("demo", "animals"),
    "RestCollectionGetCollectionChecksum": products("1"),
    "RestCollectionGetCollectionCount": products("1", "2", sync=True),
    "RestCollectionGetCollectionFiguresDetails": products("1"),
    "RestCollectionGetCollectionFigures": products("1"),
    "RestCollectionGetCollectionRevision": products(),
    "RestCollectionIdentifierLoadIndexesIntoMemory": products(),
    "RestCollectionIdentifierLoad": products(),
    "RestCollectionIdentifierPropertiesSync": products(),
    "RestCollectionIdentifierUnload": products(),
    "RestDatabaseCreateUsers": nothing,
    "RestDatabaseDrop": database,
    "RestDatabaseGetInfo": nothing,
    f"{_HANDLER}DeleteDocumentKeyMulti": products("1", "2", sync=True),
    f"{_HANDLER}DeleteDocumentObjectMulti": products("1", "2", sync=True),
    f"{_HANDLER}DeleteDocumentRevMulti": revisions({"1": "_l6zhVc----", "2": "_l6zhVc---_"}, sync=True),
    f"{_HANDLER}DeleteDocumentUnknownHandle": products(sync=True),
    f"{_HANDLER}DeleteDocumentUnknownMulti": named("products", "other"),
    f"{_HANDLER}DeleteDocument": products("70750", sync=True),
    f"{_HANDLER}PatchDocument": products("70706", one="world"),
    f"{_HANDLER}PostBadJson1": products(),
    f"{_HANDLER}PostBadJsonMulti": products(),
    f"{_HANDLER}PostCreate1": products(sync=True),
    f"{_HANDLER}PostOverwrite": products(sync=True),
    f"{_HANDLER}PostReturnNew": products(),
    f"{_HANDLER}PostWait1": products(),
    f"{_HANDLER}ReadDocumentIfNoneMatch": revisions({"70495": "_l6zhVAy---"}),
    f"{_HANDLER}ReadDocumentUnknownHandle": products(),
    f"{_HANDLER}ReadDocument": products("70477", hello="world"),
    f"{_HANDLER}UpdateDocumentIfMatchOther": products("70685"),
    f"{_HANDLER}UpdateDocumentUnknownHandle": products(),
    "RestEdgesReadEdgesAny": edges,
    "RestEdgesReadEdgesOut": edges,
    "RestGetResponsibleShardExample_cluster": named("testCollection"),
    "RestImportCsvExample": products(),
    "RestImportJsonEdge": named("links", kind=3),
    "RestImportJsonInvalidBody": products(),
    "RestImportJsonLines": products(),
    "RestImportJsonType": products(),
    "RestImportJsonUniqueFail": products(),
    "RestIndexAllIndexes": indexes,
    "RestIndexCreateGeoLatitudeLongitude": products(),
    "RestIndexCreateGeoLocation": products(),
    "RestIndexCreateNewFulltext": products(),
    "RestIndexCreateNewInverted": products(),
    "RestIndexCreateNewMdiPrefixed": named("intervals"),
    "RestIndexCreateNewPersistent": products(),
    "RestIndexCreateSparsePersistent": products(),
    "RestIndexDeleteUniquePersistent": an_index,
    "RestIndexPrimaryIndex": products(),
    "RestViewDeleteViewIdentifierArangoSearch": view(recorded="75282"),
    "RestViewDeleteViewNameArangoSearch": view(),
    "RestViewGetAllViews": view(),
    "RestViewGetViewIdentifierArangoSearch": view(recorded="75180"),
    "RestViewGetViewNameArangoSearch": view(),
    "RestViewGetViewPropertiesIdentifierArangoSearch": view(recorded="75007", links=True),
    "RestViewGetViewPropertiesNameArangoSearch": view(links=True),
    "RestViewGetViewPropertiesNameSearchAlias": alias("inv-idx"),
    "RestViewPatchPropertiesSearchAlias": alias("inv_title"),
    "RestViewPostViewArangoSearch": nothing,
    "RestViewPutPropertiesArangoSearch": view(),
    "RestViewPutRename": view(),
}
