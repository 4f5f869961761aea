"""The languages that clients are generated for.

A language is one module that offers `render(protocol)`, and a client in `clients/`. The former
returns the text of each file that depends on the protocol, by its path below the client. The text
holds `mark.MARK` in one of its first lines, so that the file can be told from one that a person
wrote; `package.json` and other files that cannot hold a comment carry it in a field. All other
files of the client are its runtime: the same for every protocol, and written by hand.
"""

from collections.abc import Callable, Mapping
from typing import Final

from mist.bindings import python, typescript
from mist.bindings.errors import BindingsError
from mist.bindings.model import Protocol

Render = Callable[[Protocol], Mapping[str, str]]

LANGUAGES: Final[Mapping[str, Render]] = {
    "python": python.render,
    "typescript": typescript.render,
}


def language(name: str) -> Render:
    """Return what renders a language.

    Raises:
        BindingsError: Code `not_found`; the text lists the languages there are.
    """
    try:
        return LANGUAGES[name]
    except KeyError:
        raise BindingsError(
            f"no language {name!r}; there are {', '.join(sorted(LANGUAGES))}", code="not_found"
        ) from None
