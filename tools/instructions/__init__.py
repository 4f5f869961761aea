"""How many instructions the hot paths take: a regression check that noise does not reach."""
