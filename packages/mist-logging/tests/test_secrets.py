"""Secrets do not come out."""

import dataclasses

import msgspec
import pytest

SECRET = [
    "password",
    "PASSWORD",
    "dbPassword",
    "db_password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "client_secret",
    "CLIENT-SECRET",
    "token",
    "access_token",
    "accessToken",
    "GITHUB_TOKEN",
    "x-auth-token",
    "api_key",
    "apikey",
    "apiKey",
    "APIKey",
    "X-API-Key",
    "OPENAI_API_KEY",
    "api_key2",
    "authorization",
    "Authorization",
    "Proxy-Authorization",
    "cookie",
    "Set-Cookie",
    "private_key",
    "credential",
    "aws_credentials",
    "secret access key",
    "jwt",
]
PLAIN = [
    "tokens_in",
    "tokens_out",
    "max_tokens",
    "tokens",
    "total_tokens",
    "token_count",
    "token_limit",
    "token_usage",
    "first_token_ms",
    "secretary",
    "tokenizer",
    "passenger",
    "cookiecutter",
    "key",
    "keyboard",
    "monkey",
    "author",
    "pass",
]


@dataclasses.dataclass
class Login:
    """A record with a secret."""

    user: str
    password: str


class Settings(msgspec.Struct):
    """Another one."""

    url: str
    api_key: str


@pytest.mark.parametrize("name", SECRET)
@pytest.mark.parametrize("form", ["json", "text"])
def test_values_under_secret_names_are_masked(make_log, name, form):
    """At the top, in mappings, in lists, and in lists of pairs, of text or of bytes."""
    log = make_log("t", format=form)
    log.logger.info(
        "m",
        **{name: "hunter2"},
        a={name: "hunter2"},
        b=[{"c": {name: ["hunter2"]}}],
        d=[(name, "hunter2")],
        e=[[name.encode(), b"hunter2"]],
        f={name: {"deep": "hunter2"}},
    )
    assert "hunter2" not in log.text
    assert "aHVudGVyMg" not in log.text  # in base64
    assert log.text.count("***") == 6


@pytest.mark.parametrize("name", PLAIN)
def test_other_names_are_not_masked(log, name):
    """Word boundaries count, and the numbers of this field are no secrets."""
    log.logger.info("m", **{name: "shown"}, a={name: "shown"})
    assert log.fields == {name: "shown", "a": {name: "shown"}}


def test_members_of_objects_are_masked(log):
    """Dataclasses and Structs, also inside of others."""
    log.logger.info("m", login=Login("bob", "hunter2"), all=[Settings("u", "hunter2")])
    assert log.fields == {
        "login": {"user": "bob", "password": "***"},
        "all": [{"url": "u", "api_key": "***"}],
    }


def test_whether_there_is_a_secret_is_no_secret(log):
    """None, True and False are shown."""
    log.logger.info("m", password=None, api_key=True, token=False)
    assert log.fields == {"password": None, "api_key": True, "token": False}


def test_numbers_named_token_count_tokens(log):
    """Numbers under a name with `token` are shown, under other secret names they are not."""
    log.logger.info("m", time_to_first_token=0.25, token=17, password=1234)
    assert log.fields == {"time_to_first_token": 0.25, "token": 17, "password": "***"}


def test_more_names_can_be_masked(make_log):
    """Beside the usual ones, by the same rules."""
    log = make_log("t", mask=["session_id", "ssn"])
    log.logger.info("m", sessionId="x", SSN=5, session="shown", password="x")
    assert log.fields == {"sessionId": "***", "SSN": "***", "session": "shown", "password": "***"}


def test_secrets_are_masked_wherever_they_were_bound(log):
    """Bound, contextual, `extra` of the standard library, structlog's own logger."""
    log.logger.bind(api_key="hunter2").info("m")
    log.logger.stdlib().info("m", extra={"api_key": "hunter2"})
    log.logger.structlog().info("m", api_key="hunter2")
    assert [record["api_key"] for record in log.records] == ["***"] * 3


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:pass@host/x", "https://user:***@host/x"),
        ("redis://:pass@host", "redis://:***@host"),
        ("a postgres://u:p@ss@h b", "a postgres://u:***@h b"),
        ("https://host:8080/a@b", "https://host:8080/a@b"),
        ("https://user@host", "https://user@host"),
        ("https://host/?q=a:b@c", "https://host/?q=a:b@c"),
    ],
)
def test_passwords_in_urls_are_masked(log, text, shown):
    """In messages, values, and inside of values."""
    log.logger.info(text, a=text, b=[text])
    assert (log.record["msg"], log.fields) == (shown, {"a": shown, "b": [shown]})


def test_a_url_that_is_cut_shows_no_password(log):
    """Cutting a value in the middle of a URL comes after masking."""
    log.logger.info(
        "m", x="x" * 32_750 + "https://user:hunter2" + "y" * 300 + "@host" + "z" * 10**6
    )
    assert "hunter2" not in log.text


def test_names_from_data_do_not_fill_the_memory(log):
    """A million different names are judged, and a few thousand remembered."""
    for n in range(20):
        log.logger.info("m", x={f"name{n}_{k}": k for k in range(1000)})
    stream = log.logger._logger
    assert len(stream._names._plain) <= 4096
    assert len(stream._secrets._verdicts) <= 4096
