"""The languages that clients are generated for: each module of this package is one, by its name.

A language is a module (or a package, such as `typescript`) that offers `render(protocol)`. It
returns the text of each file that depends on the protocol, by its path below the client. A text
holds `mark.MARK` in one of its first lines, so that the file can be told from one that a person
wrote; `package.json` and other files that cannot hold a comment carry it in a field.

Where more of the client is the same for every protocol, it is written by hand in
`clients/LANGUAGE`. A language without such a runtime needs nothing there.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import TypeAlias

from mist.bindings.errors import BindingsError
from mist.bindings.model import Protocol

Render: TypeAlias = Callable[[Protocol], Mapping[str, str]]


def language_names() -> list[str]:
    """Return the names of the languages there are, sorted; none is imported."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def renderer(language: str) -> Render:
    """Return what renders a language.

    Raises:
        BindingsError: Code `not_found`; the text lists the languages there are.
    """
    names = language_names()
    if language not in names:
        raise BindingsError(
            f"no language {language!r}; there are {', '.join(names)}", code="not_found"
        )
    render: Render = importlib.import_module(f"{__name__}.{language}").render
    return render
