"""Development mode fails a test for what an ordinary run lets pass."""

import re

from tools.dev_mode.__main__ import main

TESTS = """
import asyncio, gc, subprocess, sys, time

async def test_task():
    asyncio.ensure_future(asyncio.sleep(60))

async def fail():
    raise ValueError

async def test_exception_that_nobody_sees():
    asyncio.ensure_future(fail())
    await asyncio.sleep(0)
    gc.collect()

async def test_coroutine():
    asyncio.sleep(60)

def test_file():
    open(__file__)

async def test_clean():
    await asyncio.ensure_future(asyncio.sleep(0))

async def test_clean_though_slow():
    time.sleep(0.2)
    code = "import asyncio, time\\nasync def main(): time.sleep(0.2)\\nasyncio.run(main())"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert (child.returncode, child.stderr) == (0, b"")

def test_clean_in_a_child():
    code = "import sys; sys.exit(not sys.flags.dev_mode)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
"""
SETTINGS = """[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""


def test_what_is_left_behind_fails(tmp_path, capfd):
    """A task, an exception, a coroutine, a file; child processes are in development mode, too."""
    path = tmp_path / "test_case.py"
    path.write_text(TESTS)
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    options = ["-q", "-rA", "--tb=no", "-p", "no:cacheprovider", f"--rootdir={tmp_path}"]
    assert main([str(path), *options]) == 1
    verdicts = re.findall(r"^(\w+) \S+::(\w+)", capfd.readouterr().out, re.MULTILINE)
    failed = {name for verdict, name in verdicts if verdict != "PASSED"}
    passed = {name for verdict, name in verdicts if verdict == "PASSED"} - failed
    assert failed == {
        "test_task",
        "test_exception_that_nobody_sees",
        "test_coroutine",
        "test_file",
    }
    assert passed == {"test_clean", "test_clean_though_slow", "test_clean_in_a_child"}
