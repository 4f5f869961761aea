"""Which fields hold secrets, by their names."""

import enum
import re
from collections.abc import Iterable

from mist.logging.errors import LoggingError

MASK = "***"

_SECRETS = (
    "password",
    "passwords",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "secret",
    "secrets",
    "api_key",
    "api_keys",
    "apikey",
    "access_key",
    "accesskey",
    "private_key",
    "privatekey",
    "signing_key",
    "encryption_key",
    "authorization",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "jwt",
    "bearer",
)
# `token_count` is a measure of text, like `max_tokens` and `tokens_in`, whose words are others.
_MEASURES = {"count", "counts", "limit", "budget", "usage", "rate", "type", "ms"}

_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORDS = re.compile(r"[^\W\d_]+|\d+")
_USERINFO = re.compile(r"(://[^/?#\s:@\"']*:)[^/?#\s\"']+@")

_REMEMBERED = 4096  # names; those of a mapping may be anything, so there must be an end


class Verdict(enum.Enum):
    """What a field's name says about its value."""

    PLAIN = enum.auto()
    SECRET = enum.auto()
    TOKEN = enum.auto()  # a secret, unless it is a number: those count the tokens of a text


class Secrets:
    """The names that mark a value as secret.

    A name matches by whole words, whatever joins them and in any case: `api_key` covers `apiKey`,
    `X-API-Key` and `OPENAI_API_KEY`, and `secret` does not cover `secretary`.

    Args:
        more: Names beyond the built-in ones.

    Raises:
        LoggingError: if one of them holds no word.
    """

    def __init__(self, more: Iterable[str] = ()) -> None:
        if isinstance(more, str):
            raise LoggingError(f"mask takes a list of names: pass [{more!r}]")
        self._phrases = tuple(map(_phrase, (*_SECRETS, *more)))
        self._verdicts: dict[str, Verdict] = {}

    def verdict(self, name: str) -> Verdict:
        """Judge a field's name."""
        verdict = self._verdicts.get(name)
        if verdict is None:
            verdict = self._judge(name)
            if len(self._verdicts) < _REMEMBERED:
                self._verdicts[name] = verdict
        return verdict

    def hides(self, name: str, value: object) -> bool:
        """Return whether a value under this name must not be shown.

        None, True and False are shown under any name: they tell whether there is a secret.
        """
        verdict = self.verdict(name)
        if verdict is Verdict.PLAIN or value is None or value is True or value is False:
            return False
        return verdict is Verdict.SECRET or not issubclass(type(value), int | float)

    def _judge(self, name: str) -> Verdict:
        phrase = _phrase_of(name)
        if any(wanted in phrase for wanted in self._phrases):
            return Verdict.SECRET
        words = phrase.split()
        if "token" not in words:
            return Verdict.PLAIN
        follows = words[words.index("token") + 1 :]
        return Verdict.PLAIN if _MEASURES.intersection(follows) else Verdict.TOKEN


def _phrase(name: object) -> str:
    phrase = _phrase_of(name) if isinstance(name, str) else " "
    if not phrase.strip():
        raise LoggingError(f"mask takes names such as 'session_id', not {name!r}")
    return phrase


def _phrase_of(name: str) -> str:
    """Return the words of a name, each between spaces, so that a phrase is found as a substring."""
    words: list[str] = _WORDS.findall(_HUMPS.sub("_", name[:256]).lower())
    return f" {' '.join(words)} "


def without_userinfo(text: str) -> str:
    """Return `text` with the passwords of its URLs (`https://user:password@host`) masked."""
    return _USERINFO.sub(rf"\1{MASK}@", text) if "://" in text else text
