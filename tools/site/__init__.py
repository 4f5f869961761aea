"""The documentation site: which files are its pages, and whether what was built is sound."""
