"""The README's examples are true."""

import asyncio
import re
from importlib.metadata import metadata
from pathlib import Path

import pytest
from starlette.applications import Starlette

# Of the checkout, or the copy in the installed package where there is none.
PATH = Path(__file__).parents[1] / "README.md"
TEXT = PATH.read_text("utf-8") if PATH.is_file() else metadata("mist-metrics").json["description"]
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
async def test_the_examples_run_and_serve(number, tmp_path, monkeypatch, web_app, get):
    """Each example runs as it stands, in an empty directory; an application starts and answers."""
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "readme"}
    # In a thread, as a program is loaded before its event loop runs.
    await asyncio.to_thread(exec, compile(EXAMPLES[number], "README.md", "exec"), names)
    if isinstance(names.get("app"), Starlette):
        port = await web_app(names["app"])
        if "answer" in names:
            assert (await get(port, path="/infer")).body == b"hello"
        answer = await get(port, path="/metricsz/")
        assert answer.status == 200
        if "answer" in names:
            assert b'"labels":["method","GET","path","/infer"],"value":1}' in answer.body


def test_the_examples_are_found():
    """There are some, so that the test above is one."""
    assert len(EXAMPLES) == 3
