"""The data path: what an application of the shipped databases stores and reads, typed and asynchronous.

docs/data-path.md says which class does what.
"""
