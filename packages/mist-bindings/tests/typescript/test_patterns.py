"""A regular expression of Python matches the same in JavaScript."""

import json
import re

import pytest

from mist.bindings.languages.typescript.patterns import javascript_pattern

# fmt: off
PATTERNS = (
    "", "^[a-z]+$", "b", r"^\w*$", r"^\W$", r"[\w-]+$", "^.$", "[^a]", r"^\d+$", r"\D", r"[\d.]",
    "^(a|🎉)+$", r"^\S{2,}", "^a?$", "^a{,2}$", "^a{2}$", "a{", "{x}", "{", "}", "]", "[]a]",
    "[^]a]", "[a[]", r"[\]]", r"^\-\ \'\"\#$", r"[\-\ \w]", r"\Aab\Z", r"\bé\b", r"\Bé", "a|b$",
    r"\x41", r"\u00e9", r"\U0001F389", r"[\0\x1f]", r"(.)\1", "(?:a)(?=b)", "(?<=a)b", "(?<!a)b",
    r"[\s\S]", r"\/", "/", "[.$^{}]", r"\$\.", r"\a", r"\101", "a*?b", "a+?", "a??",
    r"^\d{4}\-\d{2}\-\d{2}$", r"^[\w.+-]+@[\w-]+\.[\w.-]+$", "^#[0-9a-fA-F]{6}$",
)
TEXTS = (
    "", "a", "b", "ab", "aa", "aab", "A", "é", "aé", "é!", "🎉", "a🎉", "1", "٣", "٣a", "²", "_",
    "a\n", "a\n\n", "\n", "\r", "\u2028", "a{", "{x}", "]", "[", "-", '- \'"#', "a{,2}", "\x00",
    "\x07", "$.", "/", "A1", "2024-01-02", "2024-01-02\n", "me.too+x@größe.example", "#00ffAA",
    " ", "\xa0",
)
# fmt: on


def test_it_matches_the_same(node, run, tmp_path):
    """What Python finds in a text, JavaScript finds, and nothing else."""
    spelled = [javascript_pattern(pattern) for pattern in PATTERNS]
    (tmp_path / "match.mjs").write_text(
        f"const patterns = {json.dumps(spelled)};\n"
        f"const texts = {json.dumps(TEXTS)};\n"
        "const found = (p) => texts.map((text) => new RegExp(p, 'u').test(text));\n"
        "console.log(JSON.stringify(patterns.map(found)));\n",
        "utf-8",
    )
    done = run(node, "match.mjs", cwd=tmp_path)
    assert done.stderr == ""
    for pattern, found in zip(PATTERNS, json.loads(done.stdout), strict=True):
        wanted = [re.search(pattern, text) is not None for text in TEXTS]
        assert dict(zip(TEXTS, found, strict=True)) == dict(zip(TEXTS, wanted, strict=True)), (
            pattern
        )


@pytest.mark.parametrize(
    "pattern",
    [
        "(?P<year>x)",
        "(?i)x",
        "(?#x)",
        "(?>x)",
        "(x)?(?(1)y|z)",
        "x*+",
        "x{2}+",
        r"[\W_]",
        r"\N{BULLET}",
    ],
)
def test_what_javascript_has_not_is_refused(pattern):
    """The error names it."""
    re.compile(pattern)
    with pytest.raises(ValueError, match="JavaScript has no "):
        javascript_pattern(pattern)
