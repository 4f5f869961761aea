"""Command-line applications: commands, flags, completion, honest exit codes."""

from mist.cli.app import App
from mist.cli.command import Command
from mist.cli.error import DeclarationError, UsageError

__all__ = ["App", "Command", "DeclarationError", "UsageError"]

for _public in (App, Command, DeclarationError, UsageError):
    _public.__module__ = __name__
del _public
