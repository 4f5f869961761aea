"""The lines of keys, held against tomllib and against a search by brute force."""

import tomllib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mist.config.locate import Locations

DOCUMENT = '''\
# a = 0
a.b."c.d" = 1                    # 2
"quo\\"ted" = "# no comment"
multi = """
[not.a.table]
key = "no key"  \\""" ""\\"
"""""
after = \'\'\'
x = 1\'\'\'\'\'                        # 9
[table . "with space"]           # 10
list = [ 1, # [x]
  "]", { k = 1, "l" = [
    { deep = true } ] },
]
when = 1979-05-27 07:32:00       # 15
[[rows]]                         # 16
v = 1
[[rows.inner]]                   # 18
v.w = { x = { y = 2 } }
[[rows]]                         # 20
[rows.sub]                       # 21
v = 2
[table]                          # 23
late = 'it\\'                     # 24
'''

LINES = {
    ("a",): 2, ("a", "b"): 2, ("a", "b", "c.d"): 2,
    ('quo"ted',): 3, ("multi",): 4, ("after",): 8,
    ("table", "with space"): 10,
    ("table", "with space", "list"): 11,
    ("table", "with space", "list", 0): 11,
    ("table", "with space", "list", 1): 12,
    ("table", "with space", "list", 2): 12,
    ("table", "with space", "list", 2, "k"): 12,
    ("table", "with space", "list", 2, "l"): 12,
    ("table", "with space", "list", 2, "l", 0): 13,
    ("table", "with space", "list", 2, "l", 0, "deep"): 13,
    ("table", "with space", "when"): 15,
    ("rows",): 16, ("rows", 0): 16, ("rows", 0, "v"): 17,
    ("rows", 0, "inner"): 18, ("rows", 0, "inner", 0): 18,
    ("rows", 0, "inner", 0, "v"): 19, ("rows", 0, "inner", 0, "v", "w"): 19,
    ("rows", 0, "inner", 0, "v", "w", "x"): 19, ("rows", 0, "inner", 0, "v", "w", "x", "y"): 19,
    ("rows", 1): 20, ("rows", 1, "sub"): 21, ("rows", 1, "sub", "v"): 22,
    ("table",): 23, ("table", "late"): 24,
}  # fmt: skip


def paths(value, path=()):
    """Every path of a tree, as tomllib gives it."""
    below = value.items() if isinstance(value, dict) else enumerate(value)
    for step, each in below:
        yield (*path, step)
        if isinstance(each, dict | list):
            yield from paths(each, (*path, step))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_form_of_key_is_found_on_its_line(end):
    """Dotted and quoted keys, tables, arrays of tables, inline tables, strings of many lines."""
    assert Locations(DOCUMENT.replace("\n", end)).lines == LINES
    assert set(paths(tomllib.loads(DOCUMENT))) == set(LINES)


def first_seen(document):
    """By brute force: between which lines each path comes into being.

    A prefix of the lines that tomllib accepts ends between two statements; what a longer one has
    more stands on the lines between.
    """
    lines = document.split("\n")
    seen, start = {}, 0
    for end in range(1, len(lines) + 1):
        try:
            tree = tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue
        for path in paths(tree):
            seen.setdefault(path, (start + 1, end))
        start = end
    return seen


bare = st.text("abc-_1", min_size=1, max_size=2)
anything = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=4)


def basic(text):
    """Text in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


literal = st.text('ab #[]{}=,."\\', max_size=4).map(lambda text: f"'{text}'")
key = st.one_of(bare, bare, bare, anything.map(basic), literal)
keys = st.lists(key, min_size=1, max_size=3).map(" . ".join)
blank = st.sampled_from(["", " ", "\n", ' # ] } = "\n', "\n\n"])
multiline = st.text("a\n\"' #=[]", max_size=8)
scalar = st.one_of(
    st.sampled_from(["1", "true", "1979-05-27 07:32:00", "-0.5e3", "07:32:00", "inf"]),
    anything.map(basic),
    literal,
    multiline.map(lambda text: '"""' + text.replace('"""', '""\\"') + ' """'),
    multiline.map(lambda text: "'''" + text.replace("'", "") + "'''''"),
)


def containers(inner):
    """Lists over several lines, and inline tables."""
    item = st.tuples(blank, inner, blank).map("".join)
    pair = st.tuples(keys, st.just(" = "), inner).map("".join)
    return st.one_of(
        st.lists(item, max_size=3).map(lambda items: f"[{','.join(items)}]"),
        st.lists(item, min_size=1, max_size=3).map(lambda items: f"[{','.join(items)},\n]"),
        st.lists(pair, max_size=3).map(lambda pairs: f"{{ {', '.join(pairs)} }}"),
    )


value = st.recursive(scalar, containers, max_leaves=6)
statement = st.one_of(
    st.tuples(keys, st.just("="), value).map("".join),
    st.tuples(keys, st.just("="), value).map("".join),
    keys.map(lambda name: f"[{name}]"),
    keys.map(lambda name: f"[[ {name} ]]"),
    st.sampled_from(["", "# x = 1", "  "]),
)
comment = st.sampled_from(["", "", " # [c]"])


@st.composite
def documents(draw):
    """Documents that tomllib accepts: statements that it refuses where they stand are left out."""
    document = ""
    for line in draw(st.lists(st.tuples(statement, comment).map("".join), max_size=8)):
        longer = f"{document}{line}\n"
        try:
            tomllib.loads(longer)
        except tomllib.TOMLDecodeError:
            continue
        document = longer
    return document


@given(documents())
@example("[a.b]\n[a]\nx = 1\n")
@example("[[a]]\n[[a.b]]\n[[a]]\n[[a.b]]\nx=1\n[[a.b]]\n")
@example('a = """\\\n  x"""\nb = 1\n')
def test_every_path_that_tomllib_yields_is_found_where_brute_force_says(document):
    """No key is missed, none is invented, and each is on its line."""
    found = Locations(document).lines
    expected = first_seen(document)
    assert found.keys() == expected.keys()
    lines = document.split("\n")
    for path, line in found.items():
        first, last = expected[path]
        # A table may be mentioned first and have its own header later; that is where it is.
        is_own_header = line > last and lines[line - 1].lstrip().startswith("[")
        assert first <= line <= last or is_own_header, (path, line)
        if isinstance(path[-1], str) and path[-1].isalnum():
            assert path[-1] in lines[line - 1]


@given(st.one_of(st.text(), st.text("a=[]{}.,\"'\\\n# 1")))
def test_no_text_breaks_the_search(document):
    """What is not TOML ends the search, without an exception and without a hang."""
    assert isinstance(Locations(document).lines, dict)
