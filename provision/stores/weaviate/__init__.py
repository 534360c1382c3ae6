"""Weaviate: documents of operations."""

from __future__ import annotations

from provision.documents.kind import DocumentKind
from provision.model import StoreOptions
from provision.ports import Store

_EXAMPLE = """\
#  - create_collection:
#      class: ArticleV1
#      vectorConfig:
#        body_vector: {vectorizer: {none: {}}, vectorIndexType: hnsw, vectorIndexConfig: {distance: cosine}}
#      invertedIndexConfig: {indexTimestamps: true}
#      properties:
#        - {name: title, dataType: [text], tokenization: word}
#        - {name: article_id, dataType: [text], tokenization: field}
#  - create_alias: {alias: Article, class: ArticleV1}
"""


def _build(options: StoreOptions) -> Store:
    from provision.stores.weaviate.store import WeaviateStore

    return WeaviateStore(options)


KIND = DocumentKind(
    name="weaviate",
    title="Weaviate",
    package=__name__,
    build=_build,
    driver="urllib3",
    extra="weaviate",
    engine="provision.embedded.weaviate",
    program="weaviate-server",
    example=_EXAMPLE,
)
