"""TypeScript: an npm package that needs no other."""

from mist.bindings.languages.typescript.package import render

__all__ = ["render"]
