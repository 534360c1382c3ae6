"""The Alembic ini of a store: where it is, and whether it changes which files are revisions."""

from __future__ import annotations

from pathlib import Path

from provision.model import StoreOptions

PYPROJECT = "pyproject.toml"  # where `[tool.alembic]` says what the ini does not
_WHICH = ("version_locations", "recursive_version_locations", "sourceless")


def ini(options: StoreOptions) -> Path | None:
    """The Alembic ini: key `ini`, else in the script folder, else beside provision.toml, else none."""
    if "ini" in options.extra:
        return options.root / str(options.extra["ini"])
    places = (options.path / "alembic.ini", options.root / "alembic.ini")
    return next((place for place in places if place.is_file()), None)


def chooses_files(options: StoreOptions) -> bool:
    """Whether other files are revisions than those ending in .py in the folder `versions` of the script folder."""
    return _of_ini(ini(options)) or _of_toml(options.root / PYPROJECT)


def _of_ini(place: Path | None) -> bool:
    if place is None or not place.is_file():
        return False
    text = place.read_text(encoding="utf-8")
    if not any(key in text for key in _WHICH):
        return False
    import configparser  # few projects name these keys, and each run reads the file

    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text, source=str(place))
    section = parser["alembic"] if parser.has_section("alembic") else {}
    return any(section.get(key) for key in _WHICH)


def _of_toml(place: Path) -> bool:
    if not place.is_file():
        return False
    text = place.read_text(encoding="utf-8")
    if "alembic" not in text or not any(key in text for key in _WHICH):
        return False
    import tomllib

    section = tomllib.loads(text).get("tool", {}).get("alembic", {})
    return any(section.get(key) for key in _WHICH)
