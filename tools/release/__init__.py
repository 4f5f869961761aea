"""Releases: what changed, whether it may go out, what goes out, and the tag that lets it go."""
