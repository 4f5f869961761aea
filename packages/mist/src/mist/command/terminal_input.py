"""Standard input that nobody pipes into."""

import os
import sys


def hint_at_terminal() -> None:
    """Say on standard error that standard input is awaited, if a person has to type it."""
    if os.isatty(0):
        end = "Ctrl-Z and Enter" if os.name == "nt" else "Ctrl-D"
        sys.stderr.write(f"reading standard input; {end} on a line of its own ends it\n")
