"""What is printed where a package brings no part is done by hand, and leads on."""

from __future__ import annotations

import re

from tests.fixes.following import failed, fix_of
from tests.seventh.shop import Shop


def test_store_without_layout_is_written_by_hand(copied: Shop) -> None:
    (copied.site / "provision_sqlite" / "setup" / "layout.py").unlink()
    (copied.root / "provision.toml").unlink()
    fix = fix_of(failed("no-layout", copied("init", "--stores", "sqlite")))

    [table] = re.findall(r"make the folder and write (\[stores\.sqlite\]) into provision.toml by hand", fix)
    text = f'[project]\nname = "shop"\nhome = "sqlite"\n\n{table}\n\n[environments.test]\nsqlite.url = "sqlite:///shop.db"\n'
    (copied.root / "provision.toml").write_text(text)
    ran = copied("up")
    assert ran.code == 0, ran.err


def test_file_without_a_draft_is_written_by_hand(copied: Shop) -> None:
    (copied.site / "provision_sqlite" / "setup" / "draft.py").unlink()
    fix = fix_of(failed("no-draft", copied("new", "sqlite", "more")))

    assert fix == "write the file by hand, as the other files of that store are named"
    first = copied.root / "sqlite" / "0001_orders.yaml"
    first.with_name("0003_more.yaml").write_text(first.read_text().replace("orders", "more"))
    ran = copied("up")
    assert ran.code == 0, ran.err
    assert "sqlite/0003" in ran.out


def test_server_without_import_is_written_by_hand_and_marked(copied: Shop) -> None:
    fix = fix_of(failed("no-import", copied("import", "sqlite")))

    assert fix == "write the first migration by hand, and mark it as applied with `provision baseline`"
    ran = copied("baseline", "sqlite/0001")
    assert ran.code == 0, ran.err
