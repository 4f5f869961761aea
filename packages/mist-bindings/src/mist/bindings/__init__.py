"""Clients of the MIST protocol for other languages, and its schemas, generated."""

from mist.bindings.asyncapi import asyncapi
from mist.bindings.errors import BindingsError
from mist.bindings.generation import export, generate, render
from mist.bindings.inspection import describe
from mist.bindings.model import Protocol
from mist.bindings.schemas import schema

__all__ = [
    "BindingsError",
    "Protocol",
    "asyncapi",
    "describe",
    "export",
    "generate",
    "render",
    "schema",
]

# A traceback or a repr shows the name that users import, not the file it lives in.
for _public in [globals()[name] for name in __all__]:
    _public.__module__ = __name__
