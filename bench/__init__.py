"""Times `provision` beside the tools it works with, in the same run, on the same servers."""
