"""Carries out migrations: Weaviate."""

from __future__ import annotations

from pathlib import Path

CLASS_SCHEMA = Path(__file__).with_name("class_schema.json")
"""The vendor's own definition of a class, as JSON Schema; written by docs/generate_weaviate_schema.py."""
