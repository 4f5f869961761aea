"""Tables on a real terminal, and the environment variables that change them."""

import re

import pytest
from rich.cells import cell_len

SCRIPT = """
from mist.output import Writer
Writer("table").table(["NAME", "SCORE"], {rows!r})
"""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def lines_of(ran) -> list[str]:
    """What the terminal shows, without colours."""
    assert ran.status == 0, ran.terminal
    return COLOUR.sub("", ran.terminal).splitlines()


def test_table_has_borders_and_colour(on_terminal):
    """On a terminal a table is drawn; columns of numbers are aligned to the right."""
    ran = on_terminal(SCRIPT.format(rows=[["a", 1], ["b", 22.5]]))
    assert COLOUR.search(ran.terminal)
    assert lines_of(ran) == [
        "╭──────┬───────╮",
        "│ NAME │ SCORE │",
        "├──────┼───────┤",
        "│ a    │     1 │",
        "│ b    │  22.5 │",
        "╰──────┴───────╯",
    ]


@pytest.mark.parametrize("columns", [24, 40, 80])
def test_table_fits_the_terminal(on_terminal, columns):
    """Long cells are wrapped, wide characters measured: every line is as wide as the others."""
    rows = [["word " * 30, 1], ["日本語" * 20, 2], ["👨‍👩‍👧‍👦🇫🇷" * 9, 3], ["x" * 200, 4]]
    lines = lines_of(on_terminal(SCRIPT.format(rows=rows), columns=columns))
    assert {cell_len(line) for line in lines} == {columns}


def test_a_very_long_cell_is_cropped(on_terminal):
    """A cell cannot fill the screen: it ends in an ellipsis; a pipe gets all of it."""
    lines = lines_of(on_terminal(SCRIPT.format(rows=[["x" * 100_000, 1]])))
    assert len(lines) < 12
    assert any("…" in line for line in lines)


def test_columns_too_narrow_to_read_become_records(on_terminal):
    """A table with more columns than the terminal has room for is shown row by row."""
    script = """
from mist.output import Writer
Writer().table([f"column{i}" for i in range(12)], [[f"value {i}" for i in range(12)]] * 2)
"""
    lines = lines_of(on_terminal(script, columns=40))
    assert lines[0].rstrip() == "row 1"
    assert lines[1].split() == ["column0", "value", "0"]
    assert len(lines) == 2 * 13


def test_cells_cannot_control_the_terminal(on_terminal):
    """Escapes are shown, markup is not interpreted, line ends break the line inside the cell."""
    rows = [["\x1b[2J[bold]x[/bold] :smile:", 1], ["one\ntwo", 2]]
    lines = lines_of(on_terminal(SCRIPT.format(rows=rows)))
    assert lines[3].split("│")[1].strip() == r"\x1b[2J[bold]x[/bold] :smile:"
    assert [line.split("│")[1].strip() for line in lines[4:6]] == ["one", "two"]


def test_no_color_takes_all_styles_away(on_terminal):
    """With NO_COLOR the table is drawn without one escape sequence."""
    ran = on_terminal(SCRIPT.format(rows=[["a", 1]]), NO_COLOR="1")
    assert "╭" in ran.terminal
    assert "\x1b" not in ran.terminal


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"TERM": "dumb", "FORCE_COLOR": "1"}])
def test_a_dumb_terminal_gets_the_plain_table(on_terminal, variables):
    """A terminal that says it obeys no control sequences gets none, even with FORCE_COLOR."""
    ran = on_terminal(SCRIPT.format(rows=[["a", 1]]), **variables)
    assert ran.terminal == "NAME  SCORE\n-     -  \na     1\n"


def test_force_color_draws_the_table_on_a_pipe(on_pipes):
    """FORCE_COLOR gives a pager the coloured table, at its natural width or that of COLUMNS."""
    ran = on_pipes(SCRIPT.format(rows=[["y" * 120, 1]]), FORCE_COLOR="1")
    assert COLOUR.search(ran.stdout)
    assert "y" * 120 in ran.stdout
    neither = on_pipes(SCRIPT.format(rows=[["a", 1]]), FORCE_COLOR="1", NO_COLOR="1")
    assert neither.stdout == "NAME  SCORE\n-     -  \na     1\n"
    narrow = on_pipes(SCRIPT.format(rows=[["y" * 120, 1]]), FORCE_COLOR="1", COLUMNS="50")
    assert {cell_len(COLOUR.sub("", line)) for line in narrow.stdout.splitlines()} == {50}


def test_a_table_without_headers_or_rows_is_no_error(on_terminal):
    """Nothing at all can be shown."""
    ran = on_terminal("from mist.output import Writer; Writer().table([], []); print('end')")
    assert ran.status == 0
    assert ran.terminal.endswith("end\n")


def test_json_is_never_decorated(on_terminal):
    """A JSON line is the same on a terminal as elsewhere."""
    ran = on_terminal("from mist.output import Writer; Writer().json({'a': 'x' * 100})", columns=20)
    assert ran.terminal == '{"a":"' + "x" * 100 + '"}\n'


def test_a_terminal_without_unicode_gets_ascii_borders(on_terminal):
    """A terminal in an old encoding shows the table in what it has."""
    ran = on_terminal(SCRIPT.format(rows=[["é" * 300, 1]]), PYTHONIOENCODING="ascii", NO_COLOR="1")
    assert ran.status == 0
    assert ran.terminal.isascii()
    assert "\\xe9" in ran.terminal
    assert "..." in ran.terminal
