"""Python: one file that needs nothing but the standard library of 3.8."""

from mist.bindings.languages.python.client import render

__all__ = ["render"]
