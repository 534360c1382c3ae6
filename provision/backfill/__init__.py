"""Fills what is already there, beside live traffic: the states of a run, its pace, its workers. Knows no driver."""
