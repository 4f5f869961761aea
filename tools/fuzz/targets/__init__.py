"""The targets, a file each: an invariant in the docstring, `check`, `seeds` and what to watch."""
