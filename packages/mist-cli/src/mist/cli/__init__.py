"""Command-line applications: commands, flags, completion, honest exit codes."""
