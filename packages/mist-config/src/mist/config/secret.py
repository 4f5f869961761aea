"""Values that must not be shown."""

import re

MASK = "***"

_WORD = (
    r"apikeys?|authorization|credentials?|passphrase|passwd|passwords?|pwd|secrets?|tokens?"
    r"|(?:access|account|api|auth|encryption|hmac|private|shared|signing)_keys?"
)
_SECRET = re.compile(rf"(?:^|_)(?:{_WORD})(?:_|$)")
_USERINFO = re.compile(r"(://[^/?#\s@:]*:)[^/?#\s@]+@")


class Secret:
    """Text that shows itself only to who asks for it by `reveal()`.

    `repr`, `str` and formatting give `***`, so that a log line or a traceback cannot leak it.
    A field of this type is masked in errors and by `explain`, and can be read from a file that
    the variable with `_FILE` behind its name gives.

    Args:
        text: what is secret.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK


def sounds_secret(name: str) -> bool:
    """Whether what goes by that name is probably secret: `password`, `github_token`, `api-key`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", name).lower()
    return _SECRET.search(words) is not None


def counts_tokens(name: str) -> bool:
    """Whether a number of that name is probably one of tokens of text: `max_tokens`."""
    return "token" in name.lower()


def without_userinfo(text: str) -> str:
    """The text with the password of every URL in it masked."""
    return _USERINFO.sub(rf"\1{MASK}@", text)
