"""MistError: its text, its wire form, its copies and pickles."""

import copy
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mist.errors import PROBLEM_MEDIA_TYPE, Code, MistError, is_retryable, wrap

texts = st.text()
codes = st.sampled_from(Code) | st.text(min_size=1)
causes = st.none() | st.builds(ValueError, st.text(min_size=1))
errors = st.recursive(
    st.builds(
        MistError,
        codes,
        texts,
        cause=causes,
        meta=st.none() | st.dictionaries(texts, texts),
        retry_after=st.none() | st.floats(min_value=0, allow_nan=False),
    ),
    lambda inner: st.builds(MistError, codes, texts, cause=inner),
    max_leaves=4,
)
marked_errors = errors.flatmap(
    lambda error: st.sampled_from([error, error.retriable(), error.permanent()])
)


class RefusedError(MistError):
    """A kind of MistError with a constructor of its own."""

    def __init__(self, host: str) -> None:
        super().__init__(Code.AUTH, f"{host} refused us", meta={"host": host})
        self.host = host


class UnloadableError(Exception):
    """An exception that pickles, but whose pickle cannot be read back."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__(f"{left} and {right}")


class UnpicklableError(Exception):
    """An exception that cannot be pickled."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.callback = lambda: text


def test_a_known_code_is_a_member_and_an_unknown_one_stays_a_string():
    """Codes of the table become `Code`, others are kept as they are."""
    assert MistError("timeout", "slow").code is Code.TIMEOUT
    assert MistError("acme.broken", "x").code == "acme.broken"


def test_raise_from_sets_the_cause_like_the_parameter():
    """`raise ... from` and `cause=` give the same error."""
    refused = OSError("refused")
    with pytest.raises(MistError) as caught:
        raise MistError(Code.TRANSPORT, "send failed") from refused
    assert str(caught.value) == "transport: send failed: refused"
    assert caught.value == MistError(Code.TRANSPORT, "send failed", cause=refused)
    assert caught.value.to_dict()["cause"] == "refused"


def test_a_cause_without_text_is_named_by_its_class():
    """TimeoutError() has no text, so its name stands for it."""
    assert (
        str(wrap(Code.TIMEOUT, TimeoutError(), "no answer")) == "timeout: no answer: TimeoutError"
    )


def test_wrapping_no_cause_gives_none():
    """`wrap` of None is None, so that a call's outcome can be passed through."""
    assert wrap(Code.TRANSPORT, None, "send failed") is None


def test_a_copy_with_meta_leaves_the_original_alone():
    """`with_meta` never changes the meta of the error it was called on."""
    first = MistError(Code.NOT_FOUND, "no such task", meta={"task": "t1"})
    second = first.with_meta("suite", "math")
    third = second.with_meta("suite", "code")
    assert first.meta == {"task": "t1"}
    assert second.meta == {"task": "t1", "suite": "math"}
    assert third.meta == {"task": "t1", "suite": "code"}


def test_the_mapping_given_as_meta_is_copied():
    """Changing the caller's mapping afterwards does not reach the error."""
    meta = {"task": "t1"}
    error = MistError(Code.NOT_FOUND, "no such task", meta=meta)
    meta["task"] = "t2"
    assert error.meta == {"task": "t1"}


def test_meta_is_read_only():
    """Meta can only be added to by `with_meta`."""
    with pytest.raises(TypeError):
        MistError(Code.NOT_FOUND, "no such task").meta["task"] = "t1"  # type: ignore[index]


def test_marks_win_over_the_code():
    """`retriable()` and `permanent()` decide whatever the code says, the last one last."""
    conflict = MistError(Code.CONFLICT, "taken")
    assert conflict.retriable().retryable
    assert not MistError(Code.TIMEOUT, "slow").permanent().retryable
    assert not conflict.retriable().permanent().with_meta("k", "v").retryable
    assert not conflict.retryable


def test_a_copy_keeps_traceback_context_and_notes_of_its_own():
    """A copy shows where the original was raised, and takes notes without sharing them."""
    try:
        try:
            {}["k"]
        except KeyError:
            raise MistError(Code.INTERNAL, "boom")  # noqa: B904  # the context is the point
    except MistError as caught:
        original = caught
    original.add_note("first")
    twin = original.with_meta("k", "v")
    twin.add_note("second")
    assert original.__notes__ == ["first"]
    assert twin.__notes__ == ["first", "second"]
    assert isinstance(twin.__context__, KeyError)
    assert "KeyError" in "".join(traceback.format_exception(twin))
    assert traceback.extract_tb(twin.__traceback__)


@given(marked_errors)
def test_copies_and_pickles_equal_their_original(error):
    """copy, deepcopy and every pickle protocol give an equal error of the same hash."""
    twins = [copy.copy(error), copy.deepcopy(error)]
    twins += [
        pickle.loads(pickle.dumps(error, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ]
    for twin in twins:
        assert twin == error
        assert hash(twin) == hash(error)
        assert str(twin) == str(error)
        assert twin.retryable is error.retryable
        assert type(twin.__cause__) is type(error.__cause__)


@given(errors)
def test_the_wire_form_round_trips(error):
    """What `from_dict` makes of a wire form has the same wire form and the same text."""
    back = MistError.from_dict(error.to_dict())
    assert back.to_dict() == error.to_dict()
    assert str(back) == str(error)
    assert list(back.to_dict()) == list(error.to_dict())


@given(errors, errors)
def test_equality_means_equal_hash_and_text(one, other):
    """Equal errors have one hash and one text."""
    if one == other:
        assert hash(one) == hash(other)
        assert str(one) == str(other)


def test_unequal_where_one_part_differs():
    """Class, code, message, meta, retry_after, mark and cause all count."""
    error = MistError(Code.TIMEOUT, "slow")
    others = [
        MistError(Code.TRANSPORT, "slow"),
        MistError(Code.TIMEOUT, "slower"),
        MistError(Code.TIMEOUT, "slow", cause=OSError("x")),
        MistError(Code.TIMEOUT, "slow", retry_after=1.0),
        error.with_meta("k", "v"),
        error.permanent(),
        type("Other", (MistError,), {})(Code.TIMEOUT, "slow"),
        "timeout: slow",
    ]
    assert all(error != other for other in others)
    assert error == MistError(Code.TIMEOUT, "slow")


def test_a_subclass_with_its_own_constructor_copies_and_pickles():
    """Copies and pickles never call a subclass's constructor."""
    error = RefusedError("db1")
    for twin in (error.retriable(), pickle.loads(pickle.dumps(error.retriable()))):
        assert isinstance(twin, RefusedError)
        assert twin.host == "db1"
        assert twin.retryable
        assert str(twin) == "auth: db1 refused us"


@pytest.mark.parametrize("cause", [UnloadableError("a", "b"), UnpicklableError("a and b")])
def test_a_cause_that_cannot_travel_leaves_its_text(cause):
    """An error crosses a process boundary even if its cause cannot: the text remains."""
    error = MistError(Code.INTERNAL, "worker failed", cause=cause)
    twin = pickle.loads(pickle.dumps(error))
    assert str(twin) == "internal: worker failed: a and b"
    assert type(twin.__cause__) is RuntimeError
    assert twin == error


def test_a_circle_of_causes_has_an_end():
    """Text, repr, wire form and equality of circular causes are finite."""
    one = MistError(Code.INTERNAL, "one")
    two = MistError(Code.TIMEOUT, "two", cause=one)
    one.__cause__ = two
    assert str(one) == "internal: one: timeout: two"
    assert repr(one) == "MistError('internal', 'one', cause=<MistError>)"
    assert one.to_dict()["cause"] == "timeout: two: internal: one"
    assert one == copy.copy(one)


def test_repr_shows_what_is_there():
    """The repr names class, code, message, meta and retry_after."""
    error = MistError(Code.RATE_LIMIT, "slow down", meta={"k": "v"}, retry_after=1.5)
    assert repr(error) == "MistError('rate_limit', 'slow down', meta={'k': 'v'}, retry_after=1.5)"


@pytest.mark.parametrize(
    ("wire", "path"),
    [
        ([1], "expected an object, got list"),
        (None, "expected an object, got NoneType"),
        ("code", "expected an object, got str"),
        ({}, "`code`"),
        ({"code": None}, "`code`"),
        ({"code": 404}, "`code`"),
        ({"code": "auth", "message": []}, "`message`"),
        ({"code": "auth", "cause": {}}, "`cause`"),
        ({"code": "auth", "meta": "x"}, "`meta`"),
        ({"code": "auth", "meta": {"k": 1}}, "`meta.k`"),
        ({"code": "auth", "meta": {1: "v"}}, "`meta`"),
    ],
)
def test_what_is_no_error_object_is_a_protocol_error(wire, path):
    """A malformed wire form is refused with the path of what is wrong."""
    with pytest.raises(MistError) as caught:
        MistError.from_dict(wire)
    assert caught.value.code == Code.PROTOCOL
    assert path in caught.value.message


def test_null_and_unknown_members_are_ignored():
    """As mist-go's decoder does, null counts as absent and further members as nothing."""
    wire = {"code": "auth", "message": None, "meta": None, "cause": None, "more": 1}
    assert MistError.from_dict(wire) == MistError(Code.AUTH, "")


def test_problem_details_have_the_standards_members_and_ours():
    """RFC 9457 members come first, ours after them, and the cause stays inside."""
    error = MistError(
        Code.RATE_LIMIT,
        "slow down",
        cause=OSError("10.0.0.3: quota of customer 7"),
        meta={"limit": "10"},
        retry_after=2.0,
    )
    assert PROBLEM_MEDIA_TYPE == "application/problem+json"
    assert list(error.to_problem("/runs/1").items()) == [
        ("type", "about:blank"),
        ("title", "Too Many Requests"),
        ("status", 429),
        ("detail", "slow down"),
        ("instance", "/runs/1"),
        ("code", "rate_limit"),
        ("meta", {"limit": "10"}),
        ("retry_after", 2.0),
    ]


@pytest.mark.parametrize("code", [*Code, "made_up"])
def test_every_code_has_a_problem_title(code):
    """Each status, 499 among them, has a phrase for its title."""
    problem = MistError(code, "boom").to_problem()
    assert problem["title"]
    assert set(problem) == {"type", "title", "status", "detail", "code"}


def test_a_mark_shows_through_a_wrapping_error():
    """`is_retryable` sees the mark of an error behind an ordinary exception."""
    outer = RuntimeError("call failed")
    outer.__cause__ = MistError(Code.AUTH, "token expired").retriable()
    assert is_retryable(outer)
