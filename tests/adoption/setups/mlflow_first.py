"""What MLflow does with an empty database before it runs Alembic, whose first revision alters these tables."""

import os

from mlflow.store.tracking.dbmodels.initial_models import Base
from sqlalchemy import create_engine

Base.metadata.create_all(create_engine(os.environ["ADOPTED_URL"]))
