"""The figures in the documents are those of one run."""

import pytest

from tools.bench.catalogue import catalogue
from tools.bench.chart import chart
from tools.bench.record import Record
from tools.workspace import ROOT

RECORD, CHART = ROOT / "docs" / "bench.json", ROOT / "docs" / "bench.svg"


@pytest.mark.skipif(not RECORD.exists(), reason="no figures are published yet")
def test_the_chart_is_drawn_from_the_record_beside_it():
    """As `hatch run bench --from docs/bench.json --chart docs/bench.svg` does it, with every row."""
    record = Record.load(RECORD)
    assert CHART.read_text() == chart(record)
    assert {result.row.title for result in record.results} == {row.title for row in catalogue()}
