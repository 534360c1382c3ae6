"""The rules of lint: every page's examples are run, and the seeds' own statements are read as written."""
