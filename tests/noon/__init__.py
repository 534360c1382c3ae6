"""A deploy at noon: forty revisions of tables that fifty connections write to meanwhile."""
