"""The Alembic ini of a store: where it is, and whether it names places for revisions of its own."""

from __future__ import annotations

from pathlib import Path

from provision.model import StoreOptions

_OWN_LOCATIONS = ("version_locations", "recursive_version_locations")


def ini(options: StoreOptions) -> Path | None:
    """The Alembic ini: key `ini`, else in the script folder, else beside provision.toml, else none."""
    if "ini" in options.extra:
        return options.root / str(options.extra["ini"])
    places = (options.path / "alembic.ini", options.root / "alembic.ini")
    return next((place for place in places if place.is_file()), None)


def has_own_locations(options: StoreOptions) -> bool:
    """Whether revisions lie elsewhere than in the folder `versions` of the script folder."""
    place = ini(options)
    if place is None or not place.is_file():
        return False
    text = place.read_text(encoding="utf-8")
    if not any(key in text for key in _OWN_LOCATIONS):
        return False
    import configparser  # few projects name these keys, and each run reads the file

    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text, source=str(place))
    section = parser["alembic"] if parser.has_section("alembic") else {}
    return any(section.get(key) for key in _OWN_LOCATIONS)
