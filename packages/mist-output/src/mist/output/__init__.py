"""Tables, JSON lines and progress for command-line tools."""
