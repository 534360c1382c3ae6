"""The commands as `provision --help` lists them; what is listed here is imported only when it is asked for."""

from __future__ import annotations

from typing import Final, NamedTuple


class Entry(NamedTuple):
    """Where a command lives and what the list says of it."""

    module: str  # of provision.cli; its `app` has the command under the name it has here
    line: str  # fits beside the longest name on a terminal of 80 columns


# Commands that belong to a suite of the project: in the help of others they would only be in the way.
OF_A_SUITE: Final = {"validate-probability-data": "checks/probability.yaml"}

# A name of two words is a command whose first word is one too: `validate history`.
GROUPS: Final = {
    "Move": {
        "up": Entry("move", "Apply what is pending, all stores in one order."),
        "down": Entry("move", "Revert revisions, newest first."),
    },
    "Look": {
        "status": Entry("show", "Show what is applied and what is pending."),
        "plan": Entry("planning", "Show what `up` would do; save it with --out."),
        "plan show": Entry("planning", "Show a saved plan, or write it as a page."),
        "history": Entry("show", "Show what was done, when and by whom."),
        "ledger": Entry("ledger", "Verify what the ledgers say was done."),
        "graph": Entry("show", "Draw the revisions and what they require."),
        "lint": Entry("lint", "Find in the files what would hurt in production."),
        "verify": Entry("verify", "Rehearse up, down and up on throw-away engines."),
        "drift": Entry("verify", "Name what was changed in a database by hand."),
        "stats": Entry("stats", "Measure an environment, for `verify`."),
        "commutes": Entry("commutes", "Tell whether two branches commute."),
        "doctor": Entry("doctor", "Check the set-up, the servers and the ledgers."),
        "docs": Entry("docs", "List the pages of the documentation, or show one."),
    },
    "Settle": {
        "baseline": Entry("settle", "Mark revisions as applied without running them."),
        "resolve": Entry("settle", "Settle a half-applied or edited revision."),
        "lock": Entry("settle", "Show or release the run lock."),
    },
    "Files": {
        "init": Entry("start", "Start a project in this folder."),
        "store": Entry("store", "Add a store to the project."),
        "new": Entry("start", "Write the next migration file of a store."),
        "rebase": Entry("rebase", "Put revisions behind those of a branch."),
        "import": Entry("start", "Write files of what a live server holds."),
        "schema": Entry("start", "Print the JSON Schema of a kind's files."),
    },
    "Data": {
        "backfill": Entry("backfill", "Fill existing data in batches under live traffic."),
        "validate": Entry("validate", "Check the data against the suites in checks/."),
        "validate import": Entry("validate_write", "Write a suite from the tests of another tool."),
        "validate suggest": Entry("validate_write", "Write a suite from what a table holds."),
        "validate history": Entry("validate", "Show what earlier checks found, and the trend."),
        "validate-probability-data": Entry("validate", "Check the probability data."),
    },
    "Upkeep": {
        "partitions": Entry("partitions", "Keep the windows of partitioned tables."),
        "tune": Entry("tune", "Show, apply or undo settings that suit a machine."),
        "maintain": Entry("maintain", "Run what is due again and again, or plan it."),
    },
    "Engines": {
        "local": Entry("local", "Start, stop, show or reset the embedded engines."),
    },
}
COMMANDS: Final = {name: entry for commands in GROUPS.values() for name, entry in commands.items()}
