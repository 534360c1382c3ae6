"""The run protocol as a small model: every order of events of a few runs, explored."""
