"""The mist command."""
