"""`python -m bench.clickhouse_figures [--rows N]`: the seed's ClickHouse tables beside the shipped ones.

Measures both in one run on an embedded engine, writes docs/schema_figures.md, removes the engine and ends.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from clickhouse_connect.driver.exceptions import DatabaseError

from bench.clickhouse_forms import DECISIONS, FORMS, MONTHS, ROOT, SYMBOLS, TENANTS, Figures
from bench.contenders import at
from provision.embedded import engine

PLACE = ROOT / "docs" / "schema_figures.md"
ROUNDS = 7
DAYS = 120  # the first 120 days of 2026: January to April
_ID = "(SELECT reinterpretAsUUID(sipHash128(toUInt64(4242))))"
_OUTSIDE = " OR ".join(
    f"NOT ({column} >= 0 AND {column} <= 1)"
    for column in ("aggregated_confidence", "ensemble_probability", "epistemic_uncertainty", "aleatoric_uncertainty")
)
_STRICT = f"""
SELECT count(), countIf({_OUTSIDE}), countIf(empty(indicator_probabilities)),
    countIf(NOT (epistemic_uncertainty + aleatoric_uncertainty <= 1)),
    countIf(arrayExists(p -> NOT (p.2 >= 0 AND p.2 <= 1 AND p.3 >= 0 AND p.3 <= 1 AND p.4 >= 0 AND p.4 <= 1),
        indicator_probabilities))
FROM {DECISIONS}"""
_WEEK = "timestamp >= toDateTime64('2026-02-02', 3, 'UTC') AND timestamp < toDateTime64('2026-02-09', 3, 'UTC')"
_MONTH = "timestamp >= toDateTime64('2026-02-01', 3, 'UTC') AND timestamp < toDateTime64('2026-03-01', 3, 'UTC')"
_SUM = f"SELECT count(), sum(expected_return) FROM {DECISIONS} WHERE "
_RARE = "`aggregated_confidence > 0.95`, one symbol on one day"
QUERIES = {
    "look-up by `id`": f"SELECT symbol, decision FROM {DECISIONS} WHERE id = '{{id}}'",
    "one tenant and symbol, one week": f"{_SUM}tenant_id = 't007' AND symbol = 'S007' AND {_WEEK}",
    "`aggregated_confidence >= 0.7`, spread evenly": f"{_SUM}aggregated_confidence >= 0.7",
    _RARE: f"{_SUM}aggregated_confidence > 0.95",
    "count of one month": f"SELECT count() FROM {DECISIONS} WHERE {_MONTH}",
    "count of one month, exact (ours with `FINAL`)": f"SELECT count() FROM {DECISIONS}{{final}} WHERE {_MONTH}",
    "strict validation": _STRICT,
    "strict validation of one month": f"{_STRICT} WHERE {_MONTH}",
}
_INTRO = """\
## ClickHouse, before and after

Written by `python -m bench.clickhouse_figures`; not by hand. "Seed" is the statements of the design document as they
stand (`tests/vfr/clickhouse/seed/`), "ours" is `clickhouse/*.sql`. Both are given the same rows on the same engine
in the same run, each in databases of its own. One machine, one run: the seconds only show the scale, the ratios and
the counts are what is claimed. A time is the median of {rounds} after one that is not counted, the two forms in turn,
with the query condition cache off, as the client sees it: `SELECT 1` takes {floor:.1f} ms. Below 1 ours is faster.
"""


def spans(figures: Figures) -> Iterator[str]:
    """One insert that spans 120 tenants; six inserts that span 100."""
    many, six = figures.make("many"), figures.make("six")
    wide = {form: _wide(figures, database) for form, database in many.items()}
    for number in range(6):
        for database in six.values():
            figures.insert(database, number * 100, 100, 100)
    after = {form: figures.parts(database) for form, database in six.items()}
    for database in six.values():
        figures.run(f"OPTIMIZE TABLE {DECISIONS} FINAL", database)
    merged = {form: figures.parts(database) for form, database in six.items()}
    yield "### Parts and partitions\n\n| what | seed | ours |\n| --- | --- | --- |"
    yield _line("one insert of 120 tenants, one row each", wide)
    yield _line("active parts after six inserts of 100 rows over 100 tenants", _pick(after, 0))
    yield _line("partitions after them", _pick(after, 1))
    yield _line("active parts when all is merged", _pick(merged, 0))


def _wide(figures: Figures, database: str) -> str:
    try:
        figures.insert(database, 0, 120, 120)
    except DatabaseError as error:
        return f"refused, code {error.code}"
    return f"{figures.parts(database)[0]} part"


def queries(figures: Figures, count: int) -> Iterator[str]:
    """Time and rows read of each query over `count` decisions, merged to one part a partition."""
    made = figures.make("large")
    seconds = {}
    for form, database in made.items():
        started = time.perf_counter()
        figures.insert(database, 0, count, TENANTS, DAYS)
        seconds[form] = time.perf_counter() - started
        figures.run(f"OPTIMIZE TABLE {DECISIONS} FINAL", database)
    parts = {form: figures.parts(database)[0] for form, database in made.items()}
    yield f"### Queries over {count:,} decisions\n\n{TENANTS} tenants, {SYMBOLS} symbols, {MONTHS} months, merged to"
    yield f"{parts['seed']} parts in the seed's form and {parts['ours']} in ours. Rows read are what the engine says.\n"
    yield "| query | rows read, seed | ours | seed, ms | ours, ms | ours ÷ seed |\n" + "| --- " * 6 + "|"
    wanted = figures.one(f"SELECT {_ID}", "default")
    for name, text in QUERIES.items():
        texts = {form: text.format(id=wanted, final=" FINAL" if form == "ours" else "") for form in FORMS}
        _same(figures, made, texts)
        read = {form: figures.read(texts[form], database) for form, database in made.items()}
        took = _times(figures, made, texts)
        yield (
            f"| {name} | {read['seed']:,} | {read['ours']:,} | {took['seed']:.1f} | {took['ours']:.1f} "
            f"| **{took['ours'] / took['seed']:.2f}** |"
        )
    rare = QUERIES[_RARE] + " SETTINGS use_statistics_for_part_pruning = 0"
    read = {form: figures.read(rare, database) for form, database in made.items()}
    yield "\nThis version also prunes parts by statistics that it makes itself in a merge. Without them"
    yield f"{_RARE}, reads"
    yield f"{read['seed']:,} rows in the seed's form and {read['ours']:,} in ours."
    ratio = seconds["ours"] / seconds["seed"]
    yield f"\nThe insert of all rows, with its views and constraints, took {seconds['seed']:.2f} s in the seed's form"
    yield f"and {seconds['ours']:.2f} s in ours, {ratio:.2f} × (measured once, the seed first)."


def _same(figures: Figures, made: Mapping[str, str], texts: Mapping[str, str]) -> None:
    """Raises SystemExit when the two forms do not answer alike (sums to nine digits)."""
    answers = [
        [f"{value:.9g}" if isinstance(value, float) else str(value) for row in found for value in row]
        for found in (figures.rows(texts[form], made[form]) for form in FORMS)
    ]
    if answers[0] != answers[1] or not answers[0] or answers[0][0] == "0":
        raise SystemExit(f"the answers differ or are empty: {answers}\n{texts['ours']}")


def _times(figures: Figures, made: Mapping[str, str], texts: Mapping[str, str]) -> dict[str, float]:
    """Form → median milliseconds; the first of each is not counted."""
    taken: dict[str, list[float]] = {form: [] for form in FORMS}
    for number in range(ROUNDS + 1):
        for form in FORMS if number % 2 else FORMS[::-1]:
            started = time.perf_counter()
            figures.read(texts[form], made[form])
            taken[form].append((time.perf_counter() - started) * 1000)
    return {form: median(each[1:]) for form, each in taken.items()}


def ratios(figures: Figures) -> Iterator[str]:
    """What becomes of the ratios of two rows of one day when they merge."""
    made, table = figures.make("ratios"), "probabilistic_performance_analytics"
    first = (
        "INSERT INTO {table} (date, symbol, tenant_id, total_predictions, successful_predictions, max_drawdown, {more})"
    )
    more = {
        "seed": "accuracy_rate, avg_confidence, confidence_calibration, avg_position_size",
        "ours": "confidence_sum, calibration_sum, position_size_sum",
    }
    values = {
        "seed": "10, 7, .1, .7, .8, .9, 100), ('2026-01-02', 'B', 't', 20, 10, .2, .5, .6, .8, 200",
        "ours": "10, 7, .1, 8, 9, 1000), ('2026-01-02', 'B', 't', 20, 10, .2, 12, 16, 4000",
    }
    for form, database in made.items():
        into = first.format(table=table, more=more[form])
        figures.run(f"{into} VALUES ('2026-01-02', 'B', 't', {values[form]})", database)
        figures.run(f"OPTIMIZE TABLE {table} FINAL", database)
    columns = ("accuracy_rate", "avg_confidence", "confidence_calibration", "{}_drawdown", "avg_position_size")
    sources = {"seed": (table, "max"), "ours": ("probabilistic_performance_daily", "worst")}
    found = {
        form: figures.rows(f"SELECT {', '.join(columns)} FROM {source}".format(word), made[form])[0]
        for form, (source, word) in sources.items()
    }
    yield "### Ratios of a day\n\nTwo rows of one day, of 10 and of 20 predictions, after they are merged.\n"
    yield "| figure | first row | second row | seed | ours |\n| --- | --- | --- | --- | --- |"
    given = (
        *(("accuracy", 0.7, 0.5), ("average confidence", 0.8, 0.6), ("calibration", 0.9, 0.8)),
        *(("worst drawdown", 0.1, 0.2), ("average position size", 100, 200)),
    )
    for number, (name, one, two) in enumerate(given):
        yield f"| {name} | {one} | {two} | {found['seed'][number]:.4g} | {found['ours'][number]:.4g} |"


COUNTED = {
    "seed": (
        "countMerge(prediction_count)",
        "confidence_monitoring_mv",
        "countMerge(usage_count)",
        "model_performance_mv",
    ),
    "ours": ("sum(prediction_count)", "confidence_monitoring", "sum(usage_count)", "model_performance"),
}


def repeats(figures: Figures) -> Iterator[str]:
    """The same insert twice, as a client does that did not see the answer."""
    selected, values = figures.make("selected"), figures.make("repeated")
    for form in FORMS:
        figures.insert(selected[form], 0, 100, 10)
        figures.repeat(values[form], selected[form])
        figures.insert(selected[form], 0, 100, 10)
    yield "### The same insert of 100 rows, twice\n\n| what | seed | ours |\n| --- | --- | --- |"
    for kind, made in (("values", values), ("`INSERT … SELECT`", selected)):
        found = {form: figures.one(f"SELECT count() FROM {DECISIONS}", made[form]) for form in FORMS}
        yield _line(f"{kind}: rows stored", found)
        for place, name in ((0, "confidence"), (2, "use of models")):
            asked = {form: f"SELECT {each[place]} FROM {each[place + 1]}" for form, each in COUNTED.items()}
            found = {form: figures.one(asked[form], made[form]) for form in FORMS}
            yield _line(f"{kind}: decisions counted, {name}", found)
    final = {form: _final(figures, database) for form, database in selected.items()}
    yield _line("`INSERT … SELECT`: rows read with `FINAL`", final)
    setting = figures.one("SELECT value FROM system.settings WHERE name = 'insert_select_deduplicate'", "default")
    yield "\nWhether an `INSERT … SELECT` is deduplicated is a setting, `insert_select_deduplicate`;"
    yield f"here it is `{setting}`."


def _final(figures: Figures, database: str) -> str:
    try:
        return str(figures.one(f"SELECT count() FROM {DECISIONS} FINAL", database))
    except DatabaseError as error:
        return f"refused, code {error.code}"


def _pick(pairs: Mapping[str, tuple[int, int]], place: int) -> dict[str, int]:
    return {form: pair[place] for form, pair in pairs.items()}


def _line(name: str, values: Mapping[str, object]) -> str:
    return f"| {name} | {values['seed']} | {values['ours']} |"


def page(figures: Figures, count: int) -> str:
    """The whole of docs/schema_figures.md."""
    tables = [spans(figures), queries(figures, count), ratios(figures), repeats(figures)]
    bodies = ["\n".join(table) for table in tables]
    floor = _times(figures, dict.fromkeys(FORMS, "default"), dict.fromkeys(FORMS, "SELECT 1"))["seed"]
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[1]:.1f}"
    end = f"Measured {datetime.now(UTC):%Y-%m-%d} on {machine}; ClickHouse {figures.version} (embedded)."
    return "\n\n".join([_INTRO.format(rounds=ROUNDS, floor=floor).rstrip(), *bodies, end]) + "\n"


@contextmanager
def running() -> Iterator[Figures]:
    """An embedded engine, gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="provision-figures-") as folder:
        made = engine("clickhouse", "clickhouse", Path(folder))
        try:
            yield Figures(at(str(made.start().url), "default"))
        finally:
            made.reset()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.clickhouse_figures", description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000, help="decisions that the queries run over")
    count = parser.parse_args().rows
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that everything is removed then, too
    with running() as figures:
        text = page(figures, count)
    PLACE.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
