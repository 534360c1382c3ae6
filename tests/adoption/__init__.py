"""Published projects that use Alembic, installed from their wheels and moved unmodified: `make adoption`."""
