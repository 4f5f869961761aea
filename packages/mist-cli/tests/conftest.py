"""A program made with the package, run as a process of its own; and the README's example."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Start = Callable[..., subprocess.Popen[str]]

PROGRAM = """
import asyncio
import sys
import time
from pathlib import Path, PurePosixPath

from mist.cli import App, Command
from mist.errors import Code, MistError

app = App("tool", "1.2.3", description="A tool for tests.")


def many(command, args):
    for number in range(200_000):
        print(number)


async def many_tasks(command, args):
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(asyncio.to_thread(many, command, args))


def past_stdout(command, args):
    import os

    while True:
        os.write(1, b"x" * 65536)


def socket_breaks(command, args):
    raise BrokenPipeError(32, "Broken pipe")


class Untold(Exception):
    def __str__(self):
        raise RuntimeError


def fails(command, args):
    raise {
        "mist": MistError(Code.NOT_FOUND, "no such\\ntask", cause=OSError("gone"), meta={"k": "v"}),
        "value": ValueError("bad \\x1b[31mvalue"),
        "timeout": TimeoutError(),
        "exit3": SystemExit(3),
        "exit256": SystemExit(256),
        "exittext": SystemExit("cannot go on"),
        "exitlist": SystemExit(["odd"]),
        "untold": Untold(),
        "untold-cause": MistError(Code.NOT_FOUND, "no such", cause=Untold()),
        "objects": MistError(Code.NOT_FOUND, "no such", meta={"path": PurePosixPath("x")}),
        "nan": MistError(Code.NOT_FOUND, "no such", meta={"score": float("nan")}),
        "group": ExceptionGroup("g", [MistError(Code.AUTH, "no"), TimeoutError("late")]),
        "single": ExceptionGroup("g", [ExceptionGroup("h", [MistError(Code.AUTH, "no")])]),
    }[args[0]]


async def fails_async(command, args):
    await asyncio.sleep(0)
    fails(command, args)


def doze():
    # In short naps: Python misses a signal that comes just before a system call.
    for _ in range(3000):
        time.sleep(0.01)


def waits(command, args):
    try:
        print("ready", flush=True)
        doze()
    finally:
        print("cleaned up", flush=True)


async def waits_async(command, args):
    try:
        print("ready", flush=True)
        await asyncio.sleep(30)
    finally:
        await asyncio.sleep(0)
        print("cleaned up", flush=True)


async def struck_elsewhere(command, args):
    import signal
    import threading

    def strike():
        # Real time: the main thread has to be waiting in the event loop by now.
        time.sleep(0.3)
        signal.pthread_kill(threading.get_ident(), getattr(signal, args[0]))

    threading.Thread(target=strike, daemon=True).start()
    await asyncio.sleep(30)


def struck_in_destructor(command, args):
    import os
    import signal

    class Held:
        def __del__(self):
            os.kill(os.getpid(), getattr(signal, args[0]))

    Held()
    doze()


def struck_where_threads_start_slowly(command, args):
    import threading

    class Slow(threading.Timer):
        def start(self):
            super().start()
            time.sleep(0.2)

    threading.Timer = Slow
    struck_in_destructor(command, args)


async def lingers(command, args):
    try:
        print("ready", flush=True)
        await asyncio.sleep(30)
    finally:
        print("lingering", flush=True)
        doze()


async def uses_descriptor(command, args):
    import os

    print("to nobody")
    print("to nobody", file=sys.stderr)
    sys.stdin.fileno()
    number = int(args[0])
    try:
        os.write(number, b"x") if number else os.read(number, 1)
    except OSError as exc:
        Path(args[1]).write_text(str(exc), encoding="utf-8")


async def absorbs(command, args):
    try:
        print("ready", flush=True)
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        print("drained", flush=True)
    return 0


for run in (many, many_tasks, past_stdout, socket_breaks, fails, fails_async, waits, waits_async,
            struck_elsewhere, struck_in_destructor, struck_where_threads_start_slowly, lingers, absorbs,
            uses_descriptor):
    app.add_command(Command(run.__name__.replace("_", "-"), f"Does: {run.__name__}", run))

paint = Command("paint", "Paint a file, 100% covered", lambda command, args: print(args))
paint.add_string_flag("colour", "red", "the paint", choices=("red", "green"), short="c")
paint.add_string_flag("palette", "", "a file", complete="file")
paint.add_bool_flag("gloss", True, "make it shine")
paint.add_bool_flag("dry", False, "let it dry")
paint.add_argument("file", "what to paint", complete="file")
app.add_command(paint)

if __name__ == "__main__":
    app.main()
"""


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a program with commands that end in every possible way."""
    path = tmp_path_factory.mktemp("program") / "tool.py"
    path.write_text(PROGRAM, encoding="utf-8")
    return path


@pytest.fixture
def start(program: Path) -> Iterator[Start]:
    """Start the program with these words and, by keyword, these variables."""
    started: list[subprocess.Popen[str]] = []

    def start_program(
        *words: str, stdout: int = subprocess.PIPE, **env: str
    ) -> subprocess.Popen[str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MIST_", "TOOL_", "PYTHONUNBUFFERED"))
        }
        process = subprocess.Popen(
            [sys.executable, str(program), *words],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            env=inherited | env,
        )
        started.append(process)
        return process

    yield start_program
    for process in started:
        process.kill()
        with process:
            pass


@pytest.fixture
def call(start: Start) -> Callable[..., tuple[int, str, str]]:
    """Run the program to its end: exit status, stdout and stderr."""

    def call_program(*words: str, **env: str) -> tuple[int, str, str]:
        process = start(*words, **env)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    return call_program


@pytest.fixture(scope="session")
def readme_example() -> str:
    """The first Python block of the package's README."""
    readme = Path(__file__).parent.parent / "README.md"
    if not readme.exists():
        pytest.skip("the tests run apart from the package's README")
    block = re.search(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    return block[1]
