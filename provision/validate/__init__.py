"""Data validation: what counts add up to, and the checks that need more than one store. Knows no driver."""
