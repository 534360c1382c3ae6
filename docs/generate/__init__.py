"""First versions of new files, and the notes of a release; run from the root of the clone."""
