"""Every link inside the repository leads somewhere."""

from urllib.parse import unquote, urlsplit

import pytest

from tools.site.markdown import Markdown, documents
from tools.workspace import ROOT


def wrong(page: Markdown) -> list[str]:
    """The links of a page that lead to no file of the repository, or to no heading of it."""
    found = []
    for link in page.links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
        if not (target.is_file() and target.is_relative_to(ROOT)):
            found.append(f"{link}: there is no such file")
        elif parts.fragment and unquote(parts.fragment) not in Markdown(target).anchors:
            found.append(f"{link}: there is no such heading")
    return found


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.name)
def test_every_link_inside_the_repository_resolves(page):
    """Files and headings that are linked to exist."""
    assert wrong(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path, monkeypatch):
    """Missing files and headings, in links, images and HTML; code is no link."""
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    (tmp_path / "b.md").write_text("# One `x`: two\n\n## Same\n\n## Same\n")
    page = tmp_path / "a.md"
    page.write_text(
        "[good](b.md) [good](b.md#one-x-two) [good](b.md#same-1) [out](https://example.org/x)\n"
        '[bad](c.md) [bad](b.md#three) [![bad](d.svg)](b.md) <img src="e.svg">\n'
        "`[code](f.md)`\n\n```text\n[code](g.md)\n```\n"
    )
    assert [each.partition(":")[0] for each in wrong(Markdown(page))] == [
        "c.md", "b.md#three", "d.svg", "e.svg",
    ]  # fmt: skip


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.name)
def test_nobody_is_led_to_another_project_of_the_same_name(page):
    """Until the packages are published, they are installed from the checkout."""
    assert "/project/mist" not in page.text
    for line in page.text.splitlines():
        _, found, installed = line.partition("pip install")
        words = installed.partition("&&")[0].split() if found else []
        assert not any(word.strip("'\"`").startswith("mist") for word in words), line
