"""Ours against its peers, as ratios inside one run."""
