"""Patterns: what is one, which of several wins, and which cannot stand beside each other."""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mist.server import PatternError
from mist.server.pattern import clean_path, conflict, parse
from mist.server.table import Table


def table_of(*patterns):
    """Make a table in which each pattern leads to its own text."""
    table = Table()
    for pattern in patterns:
        table.add(parse(pattern), pattern)
    return table


def winner(table, method, path, host=""):
    """Return the pattern that takes a request, if any does."""
    found = table.find(method, host, path)
    return None if found is None else found.entry.target


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        ("", "at character 1"),
        ("GET", "at character 1, 'GET'"),
        ("GET ", "expected '[METHOD ][HOST]/[PATH]', with a slash"),
        ("G{T /", "at character 1, 'G{T': expected a method"),
        (" /", "expected a method"),
        ("get /", "methods are case-sensitive; write GET"),
        ("example.com", "with a slash"),
        ("{host}/", "a host has no wildcards"),
        ("{id}/items", "is a slash missing"),
        ("example.com:80/", "without their port"),
        ("GET //a", "write '/a'"),
        ("/a/../b", "write '/b'"),
        ("/a/./", "write '/a/'"),
        ("/a{id}", "at character 2, 'a{id}': a wildcard is a whole segment"),
        ("GET /a/{id", "at character 8, '{id'"),
        ("/{id}b", "whole segment"),
        ("/a}", "whole segment"),
        ("/{a{b}}", "whole segment"),
        ("/{}", "identifier"),
        ("/{...}", "identifier"),
        ("/{a-b}", "identifier"),
        ("/{1}", "identifier"),
        ("/{$}/a", "at character 2, '{$}': nothing can follow"),
        ("/{a...}/b", "nothing can follow"),
        ("/{a...}/", "nothing can follow"),
        ("/{a}/b/{a}", "the name 'a' is there twice"),
        ("/{a}/{a...}", "the name 'a' is there twice"),
    ],
)
def test_what_is_no_pattern_is_refused_with_the_place(pattern, place):
    """The error names the pattern, where in it, and what was expected."""
    with pytest.raises(PatternError) as caught:
        parse(pattern)
    assert place in str(caught.value)
    assert repr(pattern) in str(caught.value)
    assert caught.value.code == "validation"


@pytest.mark.parametrize(
    "pattern",
    [
        "/",
        "GET /",
        "GET   /a",
        "FROB /a",
        "example.com/",
        "[::1]/a",
        "CONNECT example.com:443/",
        "CONNECT /a//b",
        "/{$}",
        "/{x...}",
        "/ä/{straße}",
        "/a%20b/%2F",
    ],
)
def test_what_is_a_pattern_is_taken(pattern):
    """Any method, any host, any path, unless it can never match."""
    assert parse(pattern).text == pattern


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("/", "/"),
        ("", "/"),
        ("//", "/"),
        ("/a/", "/a/"),
        ("//a", "/a"),
        ("/a//b//", "/a/b/"),
        ("/a/./b", "/a/b"),
        ("/a/.", "/a"),
        ("/a/b/..", "/a"),
        ("/a/b/../", "/a/"),
        ("/../../a", "/a"),
        ("/..", "/"),
        ("/.hidden/..file", "/.hidden/..file"),
        ("/a/%2e%2e/b", "/a/%2e%2e/b"),
    ],
)
def test_paths_are_cleaned_as_go_cleans_them(path, clean):
    """Empty, dot and dot-dot segments go; what is percent-encoded is text."""
    assert clean_path(path) == clean


GO_EXAMPLES = ["/posts/{id}", "/posts/latest", "GET /posts/{id}/comments", "/{$}", "/", "/static/"]


@pytest.mark.parametrize(
    ("method", "path", "pattern", "values"),
    [
        ("GET", "/posts/234", "/posts/{id}", ("234",)),
        ("GET", "/posts/latest", "/posts/latest", ()),
        ("PUT", "/posts/late%73t", "/posts/latest", ()),
        ("GET", "/posts/a%2Fb", "/posts/{id}", ("a/b",)),
        ("GET", "/posts/%2F", "/posts/{id}", ("/",)),
        ("GET", "/posts/%zz", "/posts/{id}", ("%zz",)),
        ("GET", "/posts/1/comments", "GET /posts/{id}/comments", ("1",)),
        ("HEAD", "/posts/1/comments", "GET /posts/{id}/comments", ("1",)),
        ("POST", "/posts/1/comments", "/", ()),
        ("GET", "/posts/", "/", ()),
        ("GET", "/", "/{$}", ()),
        ("GET", "/static", "/", ()),
        ("GET", "/static/", "/static/", ()),
        ("GET", "/static/a/b", "/static/", ()),
    ],
)
def test_the_most_specific_pattern_takes_the_request(method, path, pattern, values):
    """The examples of Go's documentation."""
    found = table_of(*GO_EXAMPLES).find(method, "", path)
    assert (found.entry.target, found.values) == (pattern, values)


@pytest.mark.parametrize(
    ("patterns", "method", "host", "path", "expected"),
    [
        (["/images/", "/images/thumbnails/"], "GET", "", "/images/thumbnails/1", 1),
        (["/images/", "/images/thumbnails/"], "GET", "", "/images/1", 0),
        (["/", "example.com/"], "GET", "example.com", "/a", 1),
        (["/a", "example.com/"], "GET", "example.com", "/a", 1),
        (["/a", "example.com/b"], "GET", "example.com", "/a", 0),
        (["/a", "example.com/b"], "GET", "other.com", "/b", None),
        (["GET /a", "/a"], "POST", "", "/a", 1),
        (["GET /a", "HEAD /a"], "HEAD", "", "/a", 1),
        (["GET /a/{x}", "/a/{x}", "/{y...}"], "HEAD", "", "/a/1", 0),
        (["/a/b/z", "/a/{x}/c"], "GET", "", "/a/b/c", 1),
        (["/{a}/{b}/c", "/{a}/x/{$}", "/{r...}"], "GET", "", "/1/x/d", 2),
        (["/f/{p...}", "/f/{$}"], "GET", "", "/f/", 1),
        (["/f/{p...}", "/f/{x}"], "GET", "", "/f/1/", 0),
        (["/f/{p...}"], "GET", "", "/f", None),
        (["/%2F"], "GET", "", "/%2f", 0),
        (["/é"], "GET", "", "/%C3%A9", 0),
    ],
)
def test_precedence(patterns, method, host, path, expected):
    """Whatever the order of registration, the same pattern wins."""
    for order in itertools.permutations(patterns):
        won = winner(table_of(*order), method, path, host)
        assert won == (None if expected is None else patterns[expected])


def test_the_rest_of_a_path_is_one_value():
    """It may be empty, and keeps its slashes."""
    table = table_of("/files/{name}/{rest...}")
    assert table.find("GET", "", "/files/a/").values == ("a", "")
    assert table.find("GET", "", "/files/a/b%20c/d/").values == ("a", "b c/d/")


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("/posts/{id}", "/{resource}/latest", "both match 'GET /posts/latest'"),
        ("/index.html", "GET /", "both match 'GET /index.html'"),
        ("/{a}", "/{b}", "the same requests"),
        ("GET /{a}/{$}", "GET /{b}/{$}", "the same requests"),
        ("/a/", "/a/{rest...}", "the same requests"),
        ("example.com/a", "EXAMPLE.com/a", "the same requests"),
        ("/%41", "/A", "the same requests"),
        ("/a/{x}/", "/{y}/b/", "both match 'GET /a/b/'"),
        ("GET /a/{x}", "HEAD /{y}/b", "both match 'HEAD /a/b'"),
        ("GET /a/{x}", "/a/b", "only 'GET /a/{x}' matches 'GET /a/x'"),
        ("/{x}/", "/a/{$}", None),
        ("/{x}/", "/{y}/{$}", None),
        ("/a", "/a/", None),
        ("/a/{$}", "/a/{x}", None),
        ("GET /a", "POST /a", None),
        ("GET /a", "/a", None),
        ("a.com/{x}", "/{y}", None),
        ("a.com/{x}", "b.com/{y}", None),
        ("/a/{x}", "/b/{y}", None),
    ],
)
def test_a_conflict_is_an_error_that_names_both_and_why(first, second, why):
    """It shows a request that both match, and for each one that it alone matches."""
    for one, other in ((first, second), (second, first)):
        if why is None:
            assert conflict(parse(one), parse(other)) is None
            table_of(one, other)
            continue
        with pytest.raises(PatternError) as caught:
            table_of(one, other)
        text = str(caught.value)
        assert repr(one) in text
        assert repr(other) in text
        assert why in text or one != first
        assert caught.value.code == "conflict"


# What follows compares with the plainest thing that could work: a regular expression for each
# pattern, tried on every request over a small alphabet, one letter of which is in no pattern.

SEGMENTS = st.sampled_from(["a", "b", "{_}"])
ENDS = st.sampled_from(["", "/", "/{$}", "/{_...}"])
METHODS = ["", "GET ", "HEAD ", "POST "]


@st.composite
def some_pattern(draw):
    """Make a pattern over a small alphabet."""
    segments = draw(st.lists(SEGMENTS, max_size=3))
    end = draw(ENDS)
    path = "".join(f"/{s}" for s in segments) + end or "/"
    for index in itertools.count():
        if "{_" not in path:
            break
        path = path.replace("{_", f"{{w{index}", 1)
    return draw(st.sampled_from(METHODS)) + draw(st.sampled_from(["", "h"])) + path


PATHS = [
    "/" + "/".join(parts) + end
    for depth in range(5)
    for parts in itertools.product("abc", repeat=depth)
    for end in (("/",) if parts else ("",))
] + ["/" + "/".join(p) for depth in range(1, 5) for p in itertools.product("abc", repeat=depth)]
REQUESTS = [(method, path) for method in ("GET", "HEAD", "POST", "PUT") for path in PATHS]


def matched_by(pattern):
    """Return all requests that a pattern matches, its host aside."""
    method, _, place = pattern.rpartition(" ")
    path = place[place.index("/") :]
    source = re.sub(r"/$", "/.*", path)
    source = re.sub(r"\{\w+\.\.\.\}$", ".*", source)
    source = re.sub(r"\{\$\}$", "", source)
    source = re.sub(r"\{\w+\}", "[^/]+", source)
    expression = re.compile(source)
    methods = {"": {"GET", "HEAD", "POST", "PUT"}, "GET": {"GET", "HEAD"}}.get(method, {method})
    return {(m, p) for m, p in REQUESTS if m in methods and expression.fullmatch(p)}


def has_host(pattern):
    """Tell whether a pattern has a host."""
    return not pattern.rpartition(" ")[2].startswith("/")


@given(some_pattern(), some_pattern())
@settings(deadline=None, max_examples=300)
def test_conflicts_are_those_that_trying_everything_finds(first, second):
    """Same host, a request in common, and neither has all of the other's unless it has no more."""
    one, other = matched_by(first), matched_by(second)
    expected = (
        has_host(first) == has_host(second)
        and bool(one & other)
        and (one == other or not (one < other or other < one))
    )
    found = conflict(parse(first), parse(second))
    assert (found is not None) == expected
    examples = re.findall(r"'(\w+) (?:h)?(/[^']*)'", (found or "").partition(", and ")[0])
    assert all((m, p.replace("x", "c")) in one & other for m, p in examples)
    for pattern, alone in re.findall(r"only '([^']*)' matches '([^']*)'", found or ""):
        method, _, place = alone.partition(" ")
        request = (method, place[place.index("/") :].replace("x", "c"))
        has, has_not = (one, other) if pattern == first else (other, one)
        assert request in has
        assert request not in has_not


@given(st.lists(some_pattern(), min_size=2, max_size=6), st.randoms())
@settings(deadline=None, max_examples=100)
def test_the_winner_does_not_depend_on_the_order(patterns, random):
    """It is the one with a host, and of those the one that matches least."""
    accepted = []
    for pattern in patterns:
        if all(conflict(parse(pattern), parse(other)) is None for other in accepted):
            accepted.append(pattern)
    orders = [list(accepted) for _ in range(3)]
    for order in orders[1:]:
        random.shuffle(order)
    tables = [table_of(*order) for order in orders]
    sets = {pattern: matched_by(pattern) for pattern in accepted}
    for method, path in random.sample(REQUESTS, 60):
        for host in ("", "h"):
            fitting = [
                p
                for p in accepted
                if (method, path) in sets[p] and (not has_host(p) or host == "h")
            ]
            fitting.sort(key=lambda p: (not has_host(p), len(sets[p])))
            expected = fitting[0] if fitting else None
            assert {winner(table, method, path, host) for table in tables} == {expected}
