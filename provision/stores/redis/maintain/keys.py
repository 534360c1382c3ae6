"""The kinds of job that Redis knows. They stand alone, so that reading a file loads no driver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DECLARED = "declared"
KINDS: Mapping[str, Mapping[str, Any]] = {
    "trim": {
        "anyOf": [
            {"const": DECLARED},
            {
                "type": "object",
                "additionalProperties": False,
                "required": ["keys", "length"],
                "properties": {
                    "keys": {"type": "string", "minLength": 1, "description": "the keys, as SCAN matches them"},
                    "length": {
                        "type": "integer", "minimum": 1, "maximum": 2**53,
                        "description": "how many of the newest entries stay",
                    },
                },
            },
        ],
        "description": "declared, for the streams and key families of the migrations, or a mapping {keys, length}",
    },
}  # fmt: skip
