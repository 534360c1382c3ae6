"""What docs/generate_schema.py is made of: readers of the live stores, and the pages written from what they find."""
