"""A seventh kind of store, brought by a package of its own: tests/fixtures/seventh_store."""
