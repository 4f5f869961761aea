"""Error codes that agree on retries, HTTP statuses and exit codes."""
