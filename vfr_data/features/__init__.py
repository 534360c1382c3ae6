"""Values of features: stored in batches through COPY, read as a matrix as of a moment."""

from vfr_data.features.matrix import FeatureMatrix
from vfr_data.features.rows import FeatureRow, Rejected, Stored
from vfr_data.features.store import FeatureStore

__all__ = ["FeatureMatrix", "FeatureRow", "FeatureStore", "Rejected", "Stored"]
