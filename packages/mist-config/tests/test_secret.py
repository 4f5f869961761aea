"""Values that must not be shown."""

import copy
import pickle
import traceback

import msgspec
import pytest

from mist.config import Secret
from mist.config.secret import sounds_secret


def test_a_secret_shows_itself_to_nobody_but_who_asks():
    """repr, str and formatting mask it, and so do those of what it is in."""
    secret = Secret("hunter2")
    holder = msgspec.defstruct("Holder", [("password", Secret)])(secret)
    shown = f"{secret} {secret!r} {secret!s} {[secret]} {holder}" + "{}".format(secret)  # noqa: UP032  # is the point
    assert "hunter2" not in shown
    assert secret.reveal() == "hunter2"


def test_a_secret_is_not_in_a_traceback_that_shows_values():
    """What error trackers do: local variables are shown by their repr."""

    def fail(secret):
        return len(secret)

    with pytest.raises(TypeError) as caught:
        fail(Secret("hunter2"))
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "Secret('***')" in str(frames.stack[-1].locals)


def test_a_secret_is_not_encoded_by_accident():
    """A dump of the configuration as JSON is an error, not a leak."""
    with pytest.raises(TypeError):
        msgspec.json.encode(Secret("hunter2"))


def test_a_secret_is_a_value():
    """It compares, hashes, copies and pickles; empty is false."""
    secret = Secret("a")
    assert secret == Secret("a") != Secret("b")
    assert secret != "a"
    assert len({secret, Secret("a")}) == 1
    assert copy.deepcopy(secret) == pickle.loads(pickle.dumps(secret)) == secret
    assert (bool(Secret("")), bool(secret)) == (False, True)


@pytest.mark.parametrize(
    "name",
    ["password", "db_password", "API-Key", "apiKey", "api_keys", "GITHUB_TOKEN", "tokens", "authorization",
     "client_secret", "private_key", "secretAccessKey", "credentials", "passphrase"],
)  # fmt: skip
def test_telling_names_are_known(name):
    """In any spelling of their words."""
    assert sounds_secret(name)


@pytest.mark.parametrize(
    "name", ["key", "primary_key", "tokenizer", "secretary", "author", "keyboard", "passed", ""]
)
def test_names_that_only_contain_such_a_word_are_not(name):
    """Words count, not letters."""
    assert not sounds_secret(name)
