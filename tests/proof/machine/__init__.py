"""The real core, one greenlet at a time: a seed decides who goes on, how long things take and what goes wrong."""
