"""Windows of time, planned without any database."""
