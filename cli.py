#!/usr/bin/env python3
"""The same entry point as the command `provision`."""

from provision.cli.main import main

if __name__ == "__main__":
    main()
