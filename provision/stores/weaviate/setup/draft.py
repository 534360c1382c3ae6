"""Writes the next document of a Weaviate store, commented so that it can be filled without looking anything up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from provision.documents import folder
from provision.model import StoreOptions

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


def write(options: StoreOptions, message: str, requires: Sequence[str]) -> Sequence[Path]:
    """Write `NNNN_slug.yaml` and return its path. Raises ConfigError (bad-message) and OSError."""
    return folder.write(options, message, requires, _EXAMPLE)
