"""What each package's own tests reach of it: lines, branches, and the places they miss."""
