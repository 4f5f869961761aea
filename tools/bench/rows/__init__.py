"""One file of rows for each package, or for what several share."""
