"""Each operation on a real server: what it does, that it is not done twice, and its way back, seen over raw HTTP."""

from __future__ import annotations

import json

import pytest

from provision.documents import Operation
from provision.model import Direction, Step
from provision.model.statements import Outcome
from tests.stores.weaviate.conftest import FOR_GOOD, Make, up
from tests.stores.weaviate.raw import Mover, Raw, event

PLAIN = "create_collection: {class: Article, properties: [{name: title, dataType: [text], tokenization: field}]}"
MANY = "create_collection: {class: Article, multiTenancyConfig: {enabled: true}}"
TENANTS = "create_tenants: {class: Article, tenants: [{name: acme}, {name: blue, activityStatus: INACTIVE}]}"
NAMED = "create_collection: {class: Article, vectorConfig: {v: {vectorizer: {none: {}}, vectorIndexConfig: {ef: 64}}}}"


def outcome(mover: Mover, number: str, statement: int = 1) -> Outcome:
    """What the probe says of a statement of a revision's way up."""
    step = Step(next(each for each in mover.store.revisions() if each.number == number), Direction.UP)
    return mover.statements.probe(mover.statements.of(step)[statement - 1], event()).outcome


@pytest.mark.parametrize(
    ("before", "operation"),
    [
        ([], PLAIN),
        ([PLAIN], "create_alias: {alias: Art, class: Article}"),
        (
            [PLAIN, "create_collection: {class: Other}", "create_alias: {alias: Art, class: Article}"],
            "move_alias: {alias: Art, from: Article, to: Other}",
        ),
        ([PLAIN, "create_alias: {alias: Art, class: Article}"], "delete_alias: {alias: Art, class: Article}"),
        ([MANY], TENANTS),
    ],
    ids=["collection", "alias", "move", "delete alias", "tenants"],
)
def test_operation_up_down_up_is_exact(make: Make, raw: Raw, before: list[str], operation: str) -> None:
    texts = [up(*before)] if before else []
    mover = Mover(make(*texts, up(operation)))
    number = f"{len(texts) + 1:04}"
    if before:
        mover.move(Direction.UP, "0001")
    empty = raw.everything()

    assert outcome(mover, number) is Outcome.NOT_DONE
    mover.move(Direction.UP, number)
    full = raw.everything()
    assert full != empty or operation is TENANTS
    assert outcome(mover, number) is Outcome.DONE
    mover.move(Direction.UP, number)  # again: nothing is sent
    assert raw.everything() == full
    mover.move(Direction.DOWN, number)
    assert raw.everything() == empty
    mover.move(Direction.UP, number)
    assert raw.everything() == full


def test_tenants_are_made_changed_and_deleted(make: Make, raw: Raw) -> None:
    change = "update_tenants: {class: Article, tenants: [{name: acme, activityStatus: INACTIVE}]}"
    mover = Mover(make(up(MANY, TENANTS), up(change, down=FOR_GOOD)))

    mover.move(Direction.UP, "0001")
    assert raw.tenants("Article") == {"acme": "HOT", "blue": "COLD"}
    assert outcome(mover, "0002") is Outcome.NOT_DONE
    mover.move(Direction.UP, "0002")
    assert raw.tenants("Article") == {"acme": "COLD", "blue": "COLD"}
    assert outcome(mover, "0002") is Outcome.DONE
    mover.move(Direction.DOWN, "0001")
    assert raw.classes() == []


def test_more_tenants_than_the_server_changes_at_once(make: Make, raw: Raw) -> None:
    names = [f"t{number}" for number in range(230)]
    made = ", ".join(f"{{name: {name}}}" for name in names)
    rest = ", ".join(f"{{name: {name}, activityStatus: INACTIVE}}" for name in names)
    changed = up(f"update_tenants: {{class: Article, tenants: [{rest}]}}", down=FOR_GOOD)
    mover = Mover(make(up(MANY), up(f"create_tenants: {{class: Article, tenants: [{made}]}}"), changed))

    mover.move()
    assert raw.tenants("Article") == dict.fromkeys(names, "COLD")
    mover.move(Direction.DOWN, "0002")
    assert raw.tenants("Article") == {}


def test_update_changes_what_is_stated_and_nothing_else(make: Make, raw: Raw) -> None:
    change = (
        "update_collection: {class: Article, description: news, invertedIndexConfig: {bm25: {b: 0.6}, stopwords:"
        " {additions: [foo]}}, vectorConfig: {v: {vectorIndexConfig: {ef: 200, bq: {enabled: true}}}}}"
    )
    mover = Mover(make(up(NAMED), up(change, down=FOR_GOOD)))
    mover.move(Direction.UP, "0001")
    wanted = raw.get("/schema/Article")
    wanted["description"] = "news"
    wanted["invertedIndexConfig"]["bm25"]["b"] = 0.6
    wanted["invertedIndexConfig"]["stopwords"]["additions"] = ["foo"]
    wanted["vectorConfig"]["v"]["vectorIndexConfig"] |= {"ef": 200, "bq": {"enabled": True}}

    assert outcome(mover, "0002") is Outcome.NOT_DONE
    mover.move(Direction.UP, "0002")
    assert raw.get("/schema/Article") == wanted
    assert outcome(mover, "0002") is Outcome.DONE


def test_update_describes_one_property_and_keeps_the_others(make: Make, raw: Raw) -> None:
    made = "create_collection: {class: A, properties: [{name: z, dataType: [int]}, {name: a, dataType: [text]}]}"
    change = "update_collection: {class: A, properties: [{name: z, description: size}]}"
    mover = Mover(make(up(made), up(change, down=FOR_GOOD)))

    mover.move()

    found = {each["name"]: each.get("description") for each in raw.get("/schema/A")["properties"]}
    assert found == {"z": "size", "a": None}


def test_property_vector_and_dropped_index_are_there_afterwards(make: Make, raw: Raw) -> None:
    mover = Mover(
        make(
            up(NAMED),
            up("add_property: {class: Article, property: {name: title, dataType: [text]}}", down=FOR_GOOD),
            up("add_vector: {class: Article, vectorConfig: {w: {vectorizer: {none: {}}}}}", down=FOR_GOOD),
            up("drop_property_index: {class: Article, property: title, index: searchable}", down=FOR_GOOD),
        )
    )
    for number in ("0001", "0002", "0003", "0004"):
        assert number == "0001" or outcome(mover, number) is Outcome.NOT_DONE
        mover.move(Direction.UP, number)
        assert outcome(mover, number) is Outcome.DONE
        mover.move(Direction.UP, number)

    found = raw.get("/schema/Article")
    assert sorted(found["vectorConfig"]) == ["v", "w"]
    assert [each["indexSearchable"] for each in found["properties"]] == [False]


def test_rest_sends_asks_and_undoes(make: Make, raw: Raw) -> None:
    body = {
        "request": {"method": "POST", "path": "/v1/schema/A/properties", "body": {"name": "p", "dataType": ["int"]}},
        "probe": {"path": "/v1/schema/A", "equals": {"status": 200, "body": {"properties": [{"name": "p"}]}}},
        "down": {"method": "DELETE", "path": "/v1/schema/A/properties/p/index/filterable"},
    }
    mover = Mover(make(up("create_collection: {class: A}"), up(f"rest: {json.dumps(body)}")))
    mover.move(Direction.UP, "0001")

    assert outcome(mover, "0002") is Outcome.NOT_DONE
    mover.move(Direction.UP, "0002")
    assert raw.get("/schema/A")["properties"][0]["name"] == "p"
    assert outcome(mover, "0002") is Outcome.DONE
    step = Step(mover.store.revisions()[1], Direction.DOWN)
    [back] = mover.statements.of(step)
    assert (back.text, back.destructive) == (
        "DELETE /v1/schema/A/properties/p/index/filterable",
        "DELETE /v1/schema/A/properties/p/index/filterable can lose what is there",
    )


def test_losses_are_said_in_words(make: Make) -> None:
    store = make(
        up(MANY, TENANTS, "create_alias: {alias: Art, class: Article}"),
        up("drop_property_index: {class: Other, property: title, index: filterable}", down=FOR_GOOD),
    )
    first, second = store.revisions()

    assert store.losses(Step(first)) == ()
    assert store.losses(Step(first, Direction.DOWN)) == (
        "the objects of 2 tenants in Article are deleted",
        "collection Article is deleted with all its objects",
    )
    assert store.losses(Step(second)) == (
        "the filterable index of Other.title is gone, and only a new collection has it",
    )


def test_text_is_the_request_as_the_vendor_writes_it(make: Make) -> None:
    store = make(up("create_alias: {alias: Art, class: Article}", TENANTS))
    [described] = store.describe([Step(store.revisions()[0])])

    assert described.statements == (
        'POST /v1/aliases {"alias": "Art", "class": "Article"}',
        'POST /v1/schema/Article/tenants [{"name": "acme"}, {"name": "blue", "activityStatus": "INACTIVE"}]',
    )


def test_operation_is_sent_as_it_is_written(make: Make) -> None:
    store = make(up(PLAIN))
    [statement] = store.statements.of(Step(store.revisions()[0]))
    assert isinstance(statement.sent, Operation)
    assert statement.summary == "collection Article"
