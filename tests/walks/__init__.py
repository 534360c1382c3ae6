"""A new user's walk: the pages of the documentation, done command by command with the built wheel."""
