"""What went wrong for others, as cases that are run on a real engine; linters are scored by what they say of them."""
