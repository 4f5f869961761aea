"""Clients of the MIST protocol for other languages, and its schemas, generated."""
