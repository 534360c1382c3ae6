"""What a data set consists of: ids and values that follow from the seed alone."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from vfr_data.features.rows import FeatureRow

NAMESPACE = UUID("6f9b1b1e-1c55-5c0e-9f1f-8d7d8a2f4c11")
KINDS = {"technical": 6, "fundamental": 2, "sentiment": 1, "macro": 1}
"""Features of each type."""
HOURS = (14, 17, 20)
"""Hours of UTC at which a day has values."""


@dataclass(frozen=True)
class Feature:
    id: UUID
    name: str
    kind: str


@dataclass(frozen=True)
class Plan:
    """A data set of `tickers` times `days`, the last of which ends with `until`."""

    tickers: int
    days: int
    seed: int
    until: datetime

    @property
    def features(self) -> list[Feature]:
        names = ((kind, f"generated_{kind}_{n}") for kind, count in KINDS.items() for n in range(count))
        return [Feature(self.id("feature", name), name, kind) for kind, name in names]

    @property
    def model(self) -> UUID:
        return self.id("model")

    @property
    def names(self) -> list[str]:
        """G0000, G0001, …: no ticker of any exchange."""
        return [f"G{n:04}" for n in range(self.tickers)]

    @property
    def moments(self) -> list[datetime]:
        """Every time of the data set, first to last, none after `until`."""
        midnight = self.until.replace(hour=0, minute=0, second=0, microsecond=0)
        days = (midnight - timedelta(days=ago) for ago in reversed(range(self.days)))
        return [at for day in days for hour in HOURS if (at := day + timedelta(hours=hour)) <= self.until]

    @property
    def size(self) -> int:
        """Number of values of features."""
        return len(self.moments) * self.tickers * len(self.features)

    def predicted(self, *, last_day: bool = False) -> Iterator[tuple[str, datetime]]:
        """Ticker and moment of each prediction: the last of a day's times."""
        days = list({at.date(): at for at in self.moments}.values())
        for at in days[-1:] if last_day else days:
            for name in self.names:
                yield name, at

    def prediction(self, name: str, at: datetime) -> UUID:
        return self.id("prediction", name, at.isoformat())

    def id(self, *parts: object) -> UUID:
        return uuid5(NAMESPACE, "/".join(map(str, (self.seed, *parts))))

    def rows(self) -> Iterator[FeatureRow]:
        """The values in the order of their times. Each ticker and feature walks at random from its own start."""
        chance, features = random.Random(self.seed), [each.id for each in self.features]
        values = {(name, feature): chance.uniform(20, 200) for name in self.names for feature in features}
        for at in self.moments:
            for name in self.names:
                for feature in features:
                    values[name, feature] += chance.gauss(0, 1)
                    value = round(values[name, feature], 6)
                    yield FeatureRow(name, at, feature, value, round(chance.uniform(0.5, 1), 4), 0.95, "generated")
