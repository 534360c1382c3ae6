"""The shipped PostgreSQL revisions, proved on real servers."""
