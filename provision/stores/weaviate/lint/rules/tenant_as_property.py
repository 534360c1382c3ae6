"""Tenants told apart by a property alone."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit, World


def check(unit: Unit, _world: World) -> Iterator[Hit]:
    if unit.name != "create_collection" or (unit.body.get("multiTenancyConfig") or {}).get("enabled"):
        return
    for number, each in enumerate(unit.body.get("properties") or ()):
        if str(each.get("name", "")).lower() in ("tenant", "tenant_id", "tenantid"):
            what = (
                f"every query of {unit.body.get('class')} has to filter by {each['name']}: one that forgets it "
                "shows other tenants' objects"
            )
            yield Hit(
                unit,
                what,
                "multiTenancyConfig: {enabled: true}: each tenant in a shard of its own",
                f"{unit.body.get('class')}.{each['name']}",
                unit.part("properties", number),
            )


RULE = Rule("tenant-as-property", Severity.WARNING, "Tenants told apart by a property alone", check)
