"""`hatch run fuzz`: coverage-guided fuzzing of whatever reads what strangers wrote."""
