"""Documents that are refused before any server is asked, with the whole message."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provision.errors import ProvisionError, Several
from provision.model import StoreOptions
from provision.stores.weaviate.files import documents
from tests.stores.weaviate.conftest import FOR_GOOD, up

Written = Callable[..., StoreOptions]
Said = tuple[str, str, str]

ARTICLE = (
    "create_collection: {class: Article, properties: [{name: title, dataType: [text], tokenization: word},"
    " {name: size, dataType: [int]}], vectorConfig: {v: {vectorizer: {none: {}}}}}"
)
ALIAS = "create_alias: {alias: Art, class: Article}"
MADE = "weaviate/0001_case.yaml:2"
REPLACE = "write `replace_collection: {alias: Art, class: {class: ArticleV2, …}, keep: 7d}`"


def refused(written: Written, *texts: str) -> list[Said]:
    with pytest.raises(ProvisionError) as caught:
        documents(written(*texts)).all()
    errors = caught.value.errors if isinstance(caught.value, Several) else (caught.value,)
    assert {(each.code, each.exit_code) for each in errors} == {("document-invalid", 2)}
    return [(each.what, each.where.removeprefix("weaviate/"), each.fix) for each in errors]


NAMES: dict[str, tuple[str, str, str]] = {
    "article": (
        "the collection article begins with a small letter, the server would make it Article",
        "0001_case.yaml:2:25",
        "write Article",
    ),
    "Bad-Name": (
        "Bad-Name is no name of a collection",
        "0001_case.yaml:2:25",
        "write at most 255 letters a to z, digits and _, a capital letter first",
    ),
    "A" * 256: (
        f"{'A' * 39}… is no name of a collection",
        "0001_case.yaml:2:25",
        "write at most 255 letters a to z, digits and _, a capital letter first",
    ),
    "provision_x": (
        "names that begin with Provision_ are provision's own",
        "0001_case.yaml:2:25",
        "choose another name",
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_collection_with_an_illegal_name_is_refused(written: Written, name: str) -> None:
    assert refused(written, up(f"create_collection: {{class: {name}}}")) == [NAMES[name]]


def test_alias_with_an_illegal_name_is_refused(written: Written) -> None:
    assert refused(written, up("create_alias: {alias: a b, class: A}")) == [
        (
            "a b is no name of an alias",
            "0001_case.yaml:2:20",
            "write at most 255 letters a to z, digits and _, a capital letter first",
        )
    ]


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (
            "{name: Title, dataType: [text]}",
            (
                "the property Title begins with a capital letter, the server would make it title",
                "0001_case.yaml:2:49",
                "write title",
            ),
        ),
        (
            "{name: id, dataType: [text]}",
            ("id is a name the server keeps for itself", "0001_case.yaml:2:49", "choose another name"),
        ),
        (
            "{name: a-b, dataType: [text]}",
            (
                "a-b is no name of a property",
                "0001_case.yaml:2:49",
                "write at most 231 letters a to z, digits and _, no digit first",
            ),
        ),
        (
            "{name: key, dataType: [string]}",
            (
                "property key is of type string, which the server turns into text without a word",
                "0001_case.yaml:2:60",
                "write `dataType: [text]` and `tokenization: field` for what is matched whole",
            ),
        ),
        (
            "{name: key, dataType: [txt]}",
            (
                "property key is of type txt, which the server does not know",
                "0001_case.yaml:2:60",
                "write one of text, int, number, boolean, date, uuid, object, blob, geoCoordinates, phoneNumber,"
                " text[], int[], number[], boolean[], date[], uuid[], object[], or the name of a collection",
            ),
        ),
        (
            "{name: key, dataType: [int], tokenization: word}",
            ("property key is no text and has a tokenization", "0001_case.yaml:2:77", "leave it out"),
        ),
        (
            "{name: key, dataType: [text], tokenization: wrod}",
            ("create_collection.properties[1].tokenization is wrod", "0001_case.yaml:2:78", "did you mean word?"),
        ),
        (
            "{name: key, dataType: [object]}",
            (
                "property key is an object without nestedProperties",
                "0001_case.yaml:2:60",
                "state at least one of them",
            ),
        ),
        (
            "{name: key, dataType: [text], indexFiltrable: false}",
            (
                "create_collection.properties[1] has no key indexFiltrable",
                "0001_case.yaml:2:78",
                "did you mean indexFilterable?",
            ),
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_property_that_the_server_would_refuse_or_change_is_refused(written: Written, stated: str, said: Said) -> None:
    assert refused(written, up(f"create_collection: {{class: A, properties: [{stated}]}}")) == [said]


def test_keys_that_the_server_would_drop_in_silence_are_refused_with_the_nearest(written: Written) -> None:
    body = (
        "{class: A, descripton: x, invertedIndexConfig: {bm25: {k: 1}}, vectorConfig: {v: {vectorizer: {none: {}},"
        " vectorIndexConfig: {distance: foo, efConstructon: 3}}}}"
    )
    assert refused(written, up(f"create_collection: {body}")) == [
        ("create_collection has no key descripton", "0001_case.yaml:2:35", "did you mean description?"),
        ("create_collection.invertedIndexConfig.bm25 has no key k", "0001_case.yaml:2:79", "did you mean k1?"),
        (
            "create_collection.vectorConfig.v.vectorIndexConfig.distance is foo",
            "0001_case.yaml:2:150",
            "one of cosine, dot, l2-squared, manhattan, hamming",
        ),
        (
            "create_collection.vectorConfig.v.vectorIndexConfig has no key efConstructon",
            "0001_case.yaml:2:165",
            "did you mean efConstruction?",
        ),
    ]


def test_key_of_another_index_type_is_refused(written: Written) -> None:
    body = "{class: A, vectorIndexType: flat, vectorIndexConfig: {ef: 3}}"
    assert refused(written, up(f"create_collection: {body}")) == [
        (
            "create_collection.vectorIndexConfig has no key ef",
            "0001_case.yaml:2:78",
            "keys: bq, distance, pq, rq, skipDefaultQuantization, sq, vectorCacheMaxObjects",
        )
    ]


def test_vectors_that_contradict_each_other_are_refused(written: Written) -> None:
    body = "{class: A, vectorizer: none, vectorConfig: {a-b: {vectorizer: {self_provided: {}}}}}"
    assert refused(written, up(f"create_collection: {body}")) == [
        (
            "a-b is no name of a vector",
            "0001_case.yaml:2:68",
            "write at most 230 letters a to z, digits and _, no digit first",
        ),
        (
            "vector a-b has the vectorizer self_provided, which is a word of the client library's alone",
            "0001_case.yaml:2:74",
            "write `vectorizer: {none: {}}`",
        ),
        (
            "vectorizer beside vectorConfig: a collection has one nameless vector or named ones",
            "0001_case.yaml:2:35",
            "state it inside vectorConfig",
        ),
    ]


def test_tenants_with_illegal_names_are_refused(written: Written) -> None:
    assert refused(written, up("create_tenants: {class: A, tenants: [{name: a b}, {name: c}, {name: c}]}")) == [
        ("a b is no name of a tenant", "0001_case.yaml:2:43", "write 1 to 64 letters a to z, digits, _ and -"),
        ("tenant c is given twice", "0001_case.yaml:2:67", "keep one of them"),
    ]


CHANGES: dict[str, tuple[str, str, str]] = {
    "update_collection: {class: Article, properties: [{name: size, dataType: [number]}]}": (
        f'collection Article of {MADE} has properties.size.dataType ["int"], the file says ["number"], which cannot'
        " be changed: the values that are there are stored and indexed by it",
        "0002_case.yaml:2:67",
        REPLACE,
    ),
    "add_property: {class: Article, property: {name: size, dataType: [number]}}": (
        f'Article.size of {MADE} has dataType ["int"], the file says ["number"], which cannot be changed: the'
        " values that are there are stored and indexed by it",
        "0002_case.yaml:2:36",
        REPLACE,
    ),
    "update_collection: {class: Article, properties: [{name: title, tokenization: field}]}": (
        f'collection Article of {MADE} has properties.title.tokenization "word", the file says "field", which'
        " cannot be changed: the values that are there are stored and indexed by it",
        "0002_case.yaml:2:68",
        REPLACE,
    ),
    "update_collection: {class: Article, vectorConfig: {v: {vectorIndexConfig: {distance: dot}}}}": (
        f'collection Article of {MADE} has vectorConfig.v.vectorIndexConfig.distance "cosine", the file says "dot",'
        " which cannot be changed: the graph of a vector index is built with it",
        "0002_case.yaml:2:80",
        REPLACE,
    ),
    "update_collection: {class: Article, vectorConfig: {v: {vectorIndexType: flat}}}": (
        f'collection Article of {MADE} has vectorConfig.v.vectorIndexType "hnsw", the file says "flat", which'
        " cannot be changed: the server keeps what the index was made with",
        "0002_case.yaml:2:60",
        REPLACE,
    ),
    "update_collection: {class: Article, multiTenancyConfig: {enabled: true}}": (
        f"collection Article of {MADE} has multiTenancyConfig.enabled false, the file says true, which cannot be"
        " changed: objects lie in one shard or in their tenants' shards",
        "0002_case.yaml:2:62",
        REPLACE,
    ),
    "update_collection: {class: Article, invertedIndexConfig: {indexTimestamps: true}}": (
        f"collection Article of {MADE} has no invertedIndexConfig.indexTimestamps, the file says true, which cannot"
        " be changed: the index would lack every object that is there already",
        "0002_case.yaml:2:63",
        REPLACE,
    ),
    "update_collection: {class: Article, properties: [{name: more, description: x}]}": (
        f'collection Article of {MADE} has no properties.more, the file says {{"name": "more", "description":'
        ' "x"}, which cannot be changed: a property is added with `add_property`, more is not there',
        "0002_case.yaml:2:54",
        "write `add_property: {class: Article, property: {…}}`",
    ),
    "update_collection: {class: Article, vectorConfig: {w: {vectorIndexConfig: {ef: 3}}}}": (
        f'collection Article of {MADE} has no vectorConfig.w, the file says {{"vectorIndexConfig": {{"ef": 3}}}},'
        " which cannot be changed: a vector is added with `add_vector`, w is not there",
        "0002_case.yaml:2:56",
        "write `add_vector: {class: Article, vectorConfig: {…}}`",
    ),
    "delete_collection: {class: Article}": (
        "the alias Art of weaviate/0001_case.yaml:3 stands for Article, and would stay behind",
        "0002_case.yaml:2:25",
        "write `delete_alias: {alias: Art}` or a `move_alias` before it",
    ),
    "delete_collection: {class: Art}": (
        "Art is an alias of Article, made in weaviate/0001_case.yaml:3",
        "0002_case.yaml:2:25",
        "write Article",
    ),
    "create_collection: {class: Art}": (
        "Art is an alias, made in weaviate/0001_case.yaml:3",
        "0002_case.yaml:2:25",
        "choose another name",
    ),
    "create_collection: {class: ARTICLE}": (
        f"ARTICLE differs from Article of {MADE} in case alone, the server takes one of them",
        "0002_case.yaml:2:25",
        "choose another name",
    ),
    "create_alias: {alias: Art, class: Other}": (
        "Art stands for Article since weaviate/0001_case.yaml:3",
        "0002_case.yaml:2:20",
        "write `move_alias: {alias: Art, from: Article, to: Other}`",
    ),
    "move_alias: {alias: Art, from: Other, to: Third}": (
        "Art stands for Article since weaviate/0001_case.yaml:3",
        "0002_case.yaml:2:30",
        "write Article",
    ),
    "create_tenants: {class: Article, tenants: [{name: acme}]}": (
        f"collection Article of {MADE} was made without tenants",
        "0002_case.yaml:2:22",
        "state `multiTenancyConfig: {enabled: true}` where it is made",
    ),
    "drop_property_index: {class: Article, property: titel, index: searchable}": (
        f"collection Article of {MADE} has no property titel",
        "0002_case.yaml:2:43",
        "name one of title, size",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_change_that_the_server_refuses_or_ignores_is_refused_in_the_plan(written: Written, change: str) -> None:
    assert refused(written, up(ARTICLE, ALIAS), up(change, down=FOR_GOOD)) == [CHANGES[change]]


def test_collection_that_an_earlier_document_deleted_is_missed(written: Written) -> None:
    gone = up("delete_collection: {class: Article}", down=FOR_GOOD)
    late = up("create_alias: {alias: Art, class: Article}")

    assert refused(written, up(ARTICLE), gone, late) == [
        (
            "the collection Article is gone since weaviate/0002_case.yaml:2",
            "0003_case.yaml:2:32",
            "name one that is there",
        )
    ]


@pytest.mark.parametrize(
    "changes",
    [
        "update_collection: {class: Article, vectorConfig: {v: {vectorIndexConfig: {distance: cosine, ef: 200}}}}",
        "update_collection: {class: Article, properties: [{name: title, tokenization: word, description: x}]}",
        "update_collection: {class: Article, invertedIndexConfig: {bm25: {b: 0.5}, indexTimestamps: false}}",
        "add_property: {class: Article, property: {name: more, dataType: [text]}}",
        "add_vector: {class: Article, vectorConfig: {w: {vectorizer: {none: {}}, vectorIndexType: flat}}}",
        "update_collection: {class: Unknown, multiTenancyConfig: {enabled: true}}",
        "move_alias: {alias: Art, from: Article, to: Unknown}",
    ],
)
def test_change_that_the_server_makes_is_let_through(written: Written, changes: str) -> None:
    assert len(documents(written(up(ARTICLE, ALIAS), up(changes, down=FOR_GOOD))).all()) == 2


def test_tab_is_refused(written: Written) -> None:
    _bad_yaml(
        written,
        "up:\n\t- create_collection: {class: A}\ndown: auto\n",
        ("the line is indented with a tab", "weaviate/0001_case.yaml:2:1", "indent with spaces"),
    )


def test_anchor_that_nobody_set_is_refused(written: Written) -> None:
    _bad_yaml(
        written,
        "up:\n  - create_collection: *article\ndown: auto\n",
        ("not YAML: found undefined alias", "weaviate/0001_case.yaml:2:24", "correct the line"),
    )


def test_anchor_inside_itself_is_refused(written: Written) -> None:
    text = "up:\n  - create_collection: &x\n      class: A\n      properties: [*x]\ndown: auto\n"
    assert refused(written, text) == [("an alias makes the file endless", "0001_case.yaml:2:24", "write the value out")]


def test_document_of_five_megabytes_with_too_many_values_is_refused(written: Written) -> None:
    tenants = "".join(
        f"        - {{name: tenant-of-a-rather-long-name-so-that-the-file-grows-{n:06}}}\n" for n in range(80_000)
    )
    text = f"up:\n  - create_tenants:\n      class: A\n      tenants:\n{tenants}down: auto\n"
    assert len(text) > 5_000_000
    assert refused(written, text) == [
        ("the file holds more than 100,000 values", "0001_case.yaml:50002:11", "divide it into several files")
    ]


def test_key_given_twice_is_refused(written: Written) -> None:
    text = "up:\n  - create_collection:\n      class: A\n      class: B\ndown: auto\n"
    assert refused(written, text) == [
        ("class is given twice, first on line 3", "0001_case.yaml:4:7", "keep one of them")
    ]


def _bad_yaml(written: Written, text: str, said: Said) -> None:
    with pytest.raises(ProvisionError) as caught:
        documents(written(text)).all()
    error = caught.value
    assert (error.code, error.exit_code) == ("bad-yaml", 2)
    assert (error.what, error.where, error.fix) == said
