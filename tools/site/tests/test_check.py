"""A site that is not whole, or that loads from elsewhere, is told line by line."""

import pytest

from tools.site.check import Site, main, public


@pytest.fixture
def site(tmp_path):
    """Write pages, and return the faults of the site that they make."""

    def faults(**pages):
        for name, html in pages.items():
            path = tmp_path / name.replace("__", "/")
            path.mkdir(parents=True, exist_ok=True)
            (path / "index.html").write_text(f"<!doctype html><html><body>{html}</body></html>")
        return list(Site(tmp_path).problems())

    faults.root = tmp_path
    return faults


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://example.org/">elsewhere is a link, and loads nothing</a>',
        '<a href="../b/#there">a page and its anchor</a>',
        '<a href="#here">x</a><p id="here">',
        '<img src="data:image/png;base64,AAAA">',
        '<a href="/b/">from the root</a>',
    ],
)
def test_what_is_well_has_no_fault(site, html):
    """Links within, links out and data of the page's own are fine."""
    assert site(a=html, b='<h2 id="there">') == []


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<a href="../c/">x</a>', "a/index.html: ../c/: there is no such file"),
        ('<a href="../b/#gone">x</a>', "a/index.html: ../b/#gone: there is no such anchor"),
        ('<img src="x.svg">', "a/index.html: x.svg: there is no such file"),
        ('<script src="https://cdn/x.js">', "a/index.html: loads https://cdn/x.js"),
        ('<script src="//cdn/x.js">', "a/index.html: loads //cdn/x.js"),
        ('<link rel="preconnect" href="https://f/">', "a/index.html: loads https://f/"),
        ('<p style="background: url(https://f/x)">', "a/index.html: loads https://f/x"),
        (
            '<pre class="mermaid">',
            "a/index.html: loads https://unpkg.com/mermaid (the theme draws such a block with it)",
        ),
    ],
)
def test_each_fault_is_named(site, html, fault):
    """Dead links and anchors, and all that would be fetched from another host."""
    assert site(a=html, b='<h2 id="there">') == [fault]


def test_style_sheets_are_read(site):
    """A font that a style sheet imports is a load from elsewhere."""
    (site.root / "x.css").write_text('@import "https://fonts/x"; a { background: url(y.png) }')
    assert site() == ["x.css: loads https://fonts/x"]


def test_a_public_name_without_an_entry_is_named(site):
    """The reference has every name of `__all__`."""
    site(api__mist__x='<h2 id="mist.x.Known">')
    (site.root / "api/mist").rename(site.root / "mist")
    (site.root / "mist/x").rename(site.root / "api/mist.x")
    faults = Site(site.root).unmentioned("mist.x", ["Known", "Unknown"])
    assert list(faults) == ["api/mist.x/: Unknown is public and not there"]


def test_the_public_names_are_those_of_all(tmp_path):
    """They are read, and nothing is imported."""
    (tmp_path / "x.py").write_text('import nothing\n\n__all__ = ["a", "B"]\n')
    assert public(tmp_path / "x.py") == ["a", "B"]


def test_an_empty_directory_is_no_site(tmp_path, capsys):
    """What was never built is a failure, and not a site without faults."""
    assert main([str(tmp_path)]) == 1
    assert "0 pages" in capsys.readouterr().out
