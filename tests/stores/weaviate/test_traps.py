"""What the server does without saying so, each shown on a real one, and what is done about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.documents import Operation
from provision.documents.operation import Stopped
from provision.documents.refused import Refused
from provision.errors import StatementFailed
from provision.model import Direction, Step
from provision.model.statements import Mark, Outcome, Statement
from provision.net.http import Http
from provision.stores.weaviate.migrate.operations import OPERATIONS
from provision.stores.weaviate.migrate.operations.base import Live
from provision.stores.weaviate.names import Names
from provision.stores.weaviate.server import Server
from provision.stores.weaviate.store import WeaviateStore
from tests.servers.databases import Weaviate
from tests.stores.weaviate.conftest import FOR_GOOD, Make, up
from tests.stores.weaviate.raw import Mover, Raw, event

ARTICLE = "create_collection: {class: Article}"
# Its schema lets no such distance through; the server's other reasons to refuse half-way are not to be had at will.
ZOMBIE = {
    "class": "Baddist",
    "vectorConfig": {"v": {"vectorizer": {"none": {}}, "vectorIndexConfig": {"distance": "foo"}}},
}


@pytest.fixture
def live(make: Make, raw: Raw) -> Iterator[Live]:
    store = make()
    server = Server(Http(raw.url, {}, store.options), "1.39.0")
    yield Live(server, Names("vfr", "weaviate"), store.options)
    server.close()


def refused(store: WeaviateStore, number: int, body: Operation | None = None) -> StatementFailed:
    """What a revision of one operation says when it is carried out."""
    step = Step(store.revisions()[number - 1], Direction.UP)
    [statement] = store.statements.of(step)
    sent = statement if body is None else Statement(statement.text, statement.summary, body)
    with pytest.raises(StatementFailed) as caught:
        store.statements.advance(sent, Mark("vfr", 1, step.id, 1), event(n=number + 100), None, lambda: None)
    assert store.ledger.read() == [] or all(each.n < 100 for each in store.ledger.read())
    return caught.value


def test_refused_creation_leaves_no_class(live: Live, raw: Raw) -> None:
    assert raw.ask("POST", "/schema", ZOMBIE)[0] == 422
    assert raw.classes() == ["Baddist"]  # this is what the server leaves
    raw.wipe()

    with pytest.raises(Refused, match="unrecognized distance metric"):
        OPERATIONS["create_collection"].run(ZOMBIE, live)

    assert raw.classes() == []


def test_class_that_a_killed_run_left_is_not_taken_for_done(live: Live, raw: Raw) -> None:
    raw.ask("POST", "/schema", ZOMBIE)

    fate = OPERATIONS["create_collection"].probe(ZOMBIE, live)

    assert (fate.outcome, fate.reason) == (
        Outcome.NOT_DONE,
        "Baddist is in the schema without an index, as a refused creation leaves it",
    )


def test_class_of_another_maker_survives_a_refused_creation(live: Live, raw: Raw) -> None:
    """Made by someone else between the look and the request: the refusal is told, the class stays."""
    raw.send("POST", "/schema", {"class": "Article", "description": "theirs"})

    with pytest.raises(Refused, match="class name Article already exists"):
        OPERATIONS["create_collection"].run({"class": "Article", "description": "ours"}, live)

    assert raw.get("/schema/Article")["description"] == "theirs"


def test_collection_that_is_different_stops_the_run_and_is_not_altered(make: Make, raw: Raw) -> None:
    store = make(up("create_collection: {class: Article, properties: [{name: title, dataType: [text]}]}"))
    raw.send("POST", "/schema", {"class": "Article", "properties": [{"name": "title", "dataType": ["int"]}]})
    before = raw.everything()

    error = refused(store, 1)

    assert error.what == 'collection Article has properties.title.dataType ["int"], the file says ["text"]'
    assert error.fix == "make the server as the file says, or write what it should be"
    assert error.where == "weaviate/0001_case.yaml:2"
    assert raw.everything() == before


UNSTATED = {
    "multiTenancyConfig.enabled true, the file says false": ({}, {}, {"multiTenancyConfig": {"enabled": True}}),
    'properties.title.tokenization "field", the file says "word"': ({"tokenization": "field"}, {}, {}),
    'properties.about.nestedProperties.a.tokenization "field", the file says "word"': (
        {},
        {"tokenization": "field"},
        {},
    ),
}


@pytest.mark.parametrize("words", UNSTATED)
def test_collection_that_differs_in_what_nobody_can_change_is_another_one(make: Make, raw: Raw, words: str) -> None:
    """The document says nothing of it, and means what every server then makes."""
    about = "{name: about, dataType: [object], nestedProperties: [{name: a, dataType: [text]}]}"
    store = make(up(f"create_collection: {{class: Article, properties: [{{name: title, dataType: [text]}}, {about}]}}"))
    title, inner, rest = UNSTATED[words]
    text = {"dataType": ["text"]}
    nested = [{"name": "a", **text, **inner}]
    properties = [
        {"name": "title", **text, **title},
        {"name": "about", "dataType": ["object"], "nestedProperties": nested},
    ]
    raw.send("POST", "/schema", {"class": "Article", "properties": properties, **rest})
    before = raw.everything()

    assert refused(store, 1).what == f"collection Article has {words}"
    assert raw.everything() == before


IMMUTABLE = {
    "properties: [{name: title, tokenization: field}]": (
        'collection Article has properties.title.tokenization "word", the file says "field"; the values that are'
        " there are stored and indexed by it"
    ),
    "properties: [{name: title, dataType: [int]}]": (
        'collection Article has properties.title.dataType ["text"], the file says ["int"]; the values that are'
        " there are stored and indexed by it"
    ),
    "vectorIndexType: flat": (
        'collection Article has vectorIndexType "hnsw", the file says "flat"; the server keeps what the index was'
        " made with"
    ),
}


@pytest.mark.parametrize("alias", ["Art", ""])
@pytest.mark.parametrize("change", IMMUTABLE)
def test_immutable_change_of_a_collection_nobody_wrote_down_is_refused_at_its_turn(
    make: Make, raw: Raw, change: str, alias: str
) -> None:
    store = make(up(f"update_collection: {{class: Article, {change}}}", down=FOR_GOOD))
    raw.send("POST", "/schema", {"class": "Article", "properties": [{"name": "title", "dataType": ["text"]}]})
    if alias:
        raw.send("POST", "/aliases", {"alias": alias, "class": "Article"})
    before = raw.everything()

    first = "" if alias else "`create_alias: {alias: …, class: Article}`, then "
    way = f"{first}`replace_collection: {{alias: {alias or '…'}, class: {{class: ArticleV2, …}}, keep: 7d}}`"
    assert refused(store, 1).what == f"{IMMUTABLE[change]}: write {way}"
    assert raw.everything() == before


def test_change_that_the_server_accepts_and_ignores_is_a_failure(make: Make, raw: Raw) -> None:
    store = make(up("update_collection: {class: Article, replicationConfig: {asyncEnabled: true}}", down=FOR_GOOD))
    raw.send("POST", "/schema", {"class": "Article"})
    ignored = raw.get("/schema/Article") | {"replicationConfig": {"factor": 1, "asyncEnabled": True}}
    assert raw.ask("PUT", "/schema/Article", ignored)[0] == 200

    assert refused(store, 1).what == (
        "collection Article: replicationConfig: the server accepted it and did not do it: collection Article has"
        " replicationConfig.asyncEnabled false, the file says true"
    )


@pytest.mark.parametrize("tenancy", ["", ", multiTenancyConfig: {enabled: true}"])
def test_collection_that_is_made_otherwise_than_stated_is_taken_away_again(make: Make, raw: Raw, tenancy: str) -> None:
    store = make(up(f"create_collection: {{class: Article, replicationConfig: {{asyncEnabled: true}}{tenancy}}}"))

    assert refused(store, 1).what == (
        "collection Article: the server accepted it and did not do it: collection Article has"
        " replicationConfig.asyncEnabled false, the file says true"
    )
    assert raw.classes() == []


def test_collection_is_not_deleted_through_an_alias(make: Make, raw: Raw) -> None:
    store = make(up("delete_collection: {class: Art}", down=FOR_GOOD))
    raw.send("POST", "/schema", {"class": "Article"})
    raw.send("POST", "/aliases", {"alias": "Art", "class": "Article"})
    assert raw.ask("DELETE", "/schema/Art")[0] == 200  # and deletes nothing
    assert raw.classes() == ["Article"]

    assert refused(store, 1).what == "Art is an alias of Article: name the collection itself"
    assert (raw.classes(), raw.aliases()) == (["Article"], {"Art": "Article"})


def test_collection_is_not_deleted_while_an_alias_stands_for_it(make: Make, raw: Raw) -> None:
    store = make(up("delete_collection: {class: Article}", down=FOR_GOOD))
    raw.send("POST", "/schema", {"class": "Article"})
    for alias in ("Art", "News"):
        raw.send("POST", "/aliases", {"alias": alias, "class": "Article"})

    assert refused(store, 1).what == "Art and News stand for Article: `delete_alias` or `move_alias` comes first"
    assert raw.classes() == ["Article"]


def test_auto_schema_makes_a_deleted_collection_again_through_its_alias(tmp_path: Path) -> None:
    """Why the alias has to go first: seen on a server with auto-schema."""
    server = Weaviate(tmp_path / "auto", {"AUTOSCHEMA_ENABLED": "true"})
    server.launch()
    try:
        server.wait()
        raw = Raw(server.url)
        raw.send("POST", "/schema", {"class": "Article"})
        raw.send("POST", "/aliases", {"alias": "Art", "class": "Article"})
        raw.send("DELETE", "/schema/Article")
        assert raw.classes() == []

        raw.send("POST", "/objects", {"class": "Art", "properties": {"title": "x"}})

        assert raw.classes() == ["Article"]
    finally:
        server.stop()


def test_alias_of_an_alias_and_of_nothing_is_refused(live: Live, raw: Raw) -> None:
    raw.send("POST", "/schema", {"class": "Article"})
    raw.send("POST", "/aliases", {"alias": "Art", "class": "Article"})
    for target, words in {"Art": "the collection Art is not there: Art is an alias of Article", "Nope": ""}.items():
        with pytest.raises(Stopped) as caught:
            OPERATIONS["create_alias"].run({"alias": "News", "class": target}, live)
        assert str(caught.value) == (words or "the collection Nope is not there")
    assert raw.aliases() == {"Art": "Article"}


def test_dangling_alias_is_moved_and_deleted(make: Make, raw: Raw) -> None:
    store = make(
        up(
            "create_collection: {class: Other}",
            "move_alias: {alias: Art, from: Article, to: Other}",
            "delete_alias: {alias: News, class: Article}",
        )
    )
    raw.send("POST", "/schema", {"class": "Article"})
    for alias in ("Art", "News"):
        raw.send("POST", "/aliases", {"alias": alias, "class": "Article"})
    raw.send("DELETE", "/schema/Article")
    assert raw.aliases() == {"Art": "Article", "News": "Article"}

    Mover(store).move()

    assert raw.aliases() == {"Art": "Other"}


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        (
            "create_tenants: {class: Article, tenants: [{name: acme}]}",
            "collection Article was made without tenants",
        ),
        (
            "add_property: {class: Gone, property: {name: p, dataType: [int]}}",
            "the collection Gone is not there",
        ),
        (
            "add_property: {class: Art, property: {name: p, dataType: [int]}}",
            "the collection Art is not there: Art is an alias of Article",
        ),
        (
            "drop_property_index: {class: Article, property: p, index: filterable}",
            "the property Article.p is not there",
        ),
        ("move_alias: {alias: News, from: A, to: B}", "there is no alias News"),
        ("create_collection: {class: Art}", "the collection Art is not there: Art is an alias of Article"),
        ("create_alias: {alias: Article, class: Article}", "Article is a collection"),
    ],
)
def test_what_stands_in_the_way_is_said_and_left(make: Make, raw: Raw, operation: str, said: str) -> None:
    store = make(up(operation, down=FOR_GOOD))
    raw.send("POST", "/schema", {"class": "Article"})
    raw.send("POST", "/aliases", {"alias": "Art", "class": "Article"})
    before = raw.everything()

    assert refused(store, 1).what == said
    assert raw.everything() == before


def test_servers_own_words_are_told(make: Make) -> None:
    body = "{class: Article, replicationConfig: {factor: 3}}"
    error = refused(make(up(f"create_collection: {body}")), 1)

    assert error.what.startswith("collection Article: ")
    assert error.what.endswith("could not find enough weaviate nodes for replication: 1 available, 3 requested")
