"""The Alembic script folder of a project: found where there is one, else written through `alembic init`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from provision.errors import ConfigError

FOLDER = "alembic"
FILES = "versions/*.py"
INI = "alembic.ini"
TEMPLATE = Path(__file__).with_name("template")
_HERE = "%(here)s"


def found(root: Path) -> Mapping[str, str] | None:
    """The keys `path` and `ini` for the script folder that lies in `root` already, or None.

    Looks for an alembic.ini in `root` or a folder of it, then for a folder with env.py and script.py.mako. Raises
    ConfigError (several-alembic-folders, folder-not-empty).
    """
    places = dict(_named_by_ini(root)) or {each.parent: None for each in _below(root, "env.py") if _is_script(each)}
    if len(places) > 1:
        raise ConfigError(
            "several-alembic-folders",
            f"{len(places)} folders are Alembic script folders: {', '.join(_relative(root, each) for each in places)}",
            where=str(root),
            fix="`provision init --stores KINDS` without postgres, then for each of them"
            " `provision store add NAME --kind postgres --path FOLDER`",
        )
    for folder, ini in places.items():
        own = {} if ini in (None, root / INI, folder / INI) else {"ini": _relative(root, ini or root)}
        return {"path": _relative(root, folder), **own}
    if (root / FOLDER).is_dir() and any((root / FOLDER).iterdir()):
        raise ConfigError(
            "folder-not-empty",
            f"{FOLDER} holds files, but no env.py",
            where=str(root / FOLDER),
            fix="move them away; or `provision init --stores KINDS` without postgres, then"
            " `provision store add postgres --path FOLDER`",
        )
    return None


def holds(folder: Path) -> bool:
    """Whether the folder is an Alembic script folder, with or without revisions."""
    return _is_script(folder / "env.py") and (folder / "env.py").is_file()


def start(root: Path, folder: str, store: str) -> Sequence[Path]:
    """Write a new script folder for the store and its ini. Raises OSError.

    The ini of the usual folder lies beside provision.toml, where bare `alembic` looks for it, that of any other in its
    folder: `alembic -c FOLDER/alembic.ini`.
    """
    from alembic import command
    from alembic.config import Config

    place = root / folder
    ini = root / INI if folder == FOLDER and not (root / INI).exists() else place / INI
    # Relative, so that the ini names the folder relative to itself.
    with redirect_stdout(StringIO()):  # `quiet` does not reach the script folder that Alembic makes inside
        command.init(Config(str(ini)), os.path.relpath(place), template=str(TEMPLATE))
    # What a revision imports is found from the project's folder, wherever the ini is.
    above = Path(os.path.relpath(root, ini.parent)).as_posix()
    _edit(ini, "prepend_sys_path = %(here)s\n", f"prepend_sys_path = {_HERE if above == '.' else f'{_HERE}/{above}'}\n")
    _edit(place / "env.py", 'of("postgres")', f'of("{store}")')
    keep = place / "versions" / ".gitkeep"
    keep.touch()
    return [ini, place / "env.py", place / "script.py.mako", keep]


def _edit(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8", newline="\n")


def _named_by_ini(root: Path) -> Iterator[tuple[Path, Path | None]]:
    from alembic.config import Config

    for ini in _below(root, INI):
        named = Config(str(ini)).get_main_option("script_location")
        # A package name with a colon is Alembic's own way; the folder is not known before it is imported.
        if named and ":" not in named:
            folder = ini.parent / named
            yield Path(os.path.abspath(folder if folder.is_dir() else root / named)), ini


def _below(root: Path, name: str) -> list[Path]:
    """The files of that name in `root` and in its folders, hidden ones and `.venv` left out."""
    inside = sorted(each for each in root.glob(f"*/{name}") if not each.parent.name.startswith("."))
    return [each for each in (root / name, *inside) if each.is_file()]


def _is_script(env: Path) -> bool:
    return (env.parent / "script.py.mako").is_file()


def _relative(root: Path, path: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()
