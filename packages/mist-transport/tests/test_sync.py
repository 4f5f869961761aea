"""The same transports from a plain script."""

import asyncio
import contextlib
import itertools
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from mist.protocol import Message
from mist.transport import sync
from mist.transport.channel import Channel
from mist.transport.errors import (
    BufferFull,
    EndOfStream,
    Rejected,
    TransportClosed,
    TransportError,
    TransportTimeout,
)
from mist.transport.headers import incoming_headers, outgoing_headers
from mist.transport.layer import Layer, wrap
from mist.transport.testing import MockTransport

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="the system cannot fork")


@pytest.fixture
def script(tmp_path):
    """Return a function that runs a script in a process of its own, and returns its output."""

    def run(source, *options, **kwargs):
        path = tmp_path / "script.py"
        path.write_text(PREAMBLE + textwrap.dedent(source))
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, *options, path],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
            check=False,
            **kwargs,
        )
        done.took = time.monotonic() - started
        return done

    return run


PREAMBLE = """\
import asyncio, os, signal, sys, threading, time
from mist.protocol import Message
from mist.protocol import Message
from mist.transport import sync
from mist.transport.channel import Channel
from mist.transport.errors import TransportClosed, TransportError
from mist.transport.testing import MockTransport
message = Message.new("test", "test.number", {"n": 1})
"""


def test_a_script_sends_and_receives(messages):
    """Sending, iterating and closing need no event loop."""
    sent = messages(3)
    with sync.dial("chan:", size=5) as transport:
        for message in sent:
            transport.send(message)
    assert list(transport) == sent
    transport.close()
    with pytest.raises(TransportClosed):
        transport.send(sent[0])


def test_errors_keep_their_type_and_code():
    """What the transport raises is what the script catches."""
    rejected = Rejected("no", status=401)
    with sync.blocking(lambda: MockTransport(sends=[rejected])) as transport:
        with pytest.raises(Rejected) as caught:
            transport.send(None)
        assert caught.value is rejected
        with pytest.raises(EndOfStream):
            transport.receive()
        assert list(transport) == []


def test_any_transport_can_be_made_blocking(messages):
    """From a factory, plain or async, that runs where the loop is."""

    async def make():
        asyncio.get_running_loop()
        return wrap(Channel(size=1))

    with sync.blocking(make) as transport:
        (message,) = messages(1)
        transport.send(message)
        with pytest.raises(BufferFull):
            transport.send(message)
        assert transport.receive() == message
        assert transport.call(lambda layer: asyncio.sleep(0, type(layer))) is Layer


def test_a_factory_that_fails_raises_its_error():
    """The caller of `dial` sees it."""
    with pytest.raises(TransportError, match="unknown scheme 'carrier'"):
        sync.dial("carrier://pigeon")


def test_timeouts_raise_and_lose_nothing(messages):
    """A receive that timed out leaves the next message to the next call."""
    with sync.blocking(lambda: Channel(size=1)) as transport:
        first, second = messages(2)
        with pytest.raises(TransportTimeout, match=r"receive took longer than 0\.01 s") as caught:
            transport.receive(timeout=0.01)
        assert caught.value.code == "timeout"
        transport.send(first, timeout=1)
        with pytest.raises(TransportTimeout, match="blocking_send took longer"):
            transport.blocking_send(second, timeout=0.01)
        assert transport.receive(timeout=0) == first
        with pytest.raises(TransportTimeout):
            transport.receive(timeout=0)


def test_the_transports_own_timeout_is_not_mistaken_for_the_callers():
    """A peer that did not answer is told from a caller that did not wait."""
    late = TransportTimeout("the peer did not answer")
    with sync.blocking(lambda: MockTransport(sends=[late])) as transport:
        with pytest.raises(TransportTimeout) as caught:
            transport.send(None, timeout=60)
        assert caught.value is late


def test_several_threads_share_a_transport(messages):
    """Four senders and four receivers through ten places lose and double nothing."""
    sent, received = messages(400), []
    with sync.blocking(lambda: Channel(size=10)) as transport:
        receivers = [threading.Thread(target=lambda: received.extend(transport)) for _ in range(4)]
        senders = [
            threading.Thread(
                target=lambda part: [transport.blocking_send(m) for m in part],
                args=(sent[start::4],),
            )
            for start in range(4)
        ]
        for thread in receivers + senders:
            thread.start()
        for thread in senders:
            thread.join()
        transport.close()
        for thread in receivers:
            thread.join()
    assert sorted(m.id for m in received) == sorted(m.id for m in sent)


def test_all_transports_share_one_thread():
    """A hundred of them start no hundred threads, and what is started are daemons."""
    with sync.dial("chan:one"):
        before = threading.active_count()
        for n in range(100):
            sync.dial(f"chan:{n}")
        assert threading.active_count() == before
    started = [t for t in threading.enumerate() if t.name.startswith("mist-transport")]
    assert "mist-transport" in {thread.name for thread in started}
    assert all(thread.daemon for thread in started)


async def test_within_an_event_loop_it_is_refused():
    """Blocking would stop the loop: the error names the other way."""
    with pytest.raises(TransportError, match=r"use mist\.transport\.dial and await") as caught:
        sync.dial("chan:")
    assert caught.value.code == "validation"
    transport = await asyncio.to_thread(sync.dial, "chan:")
    with pytest.raises(TransportError, match="an event loop is running in this thread"):
        transport.receive()


def test_trace_headers_pass_between_the_threads(messages):
    """The caller's context goes along, and what came with a message comes back."""

    class Wire(Layer):
        async def send(self, message):
            self.seen = dict(outgoing_headers.get())
            await super().send(message)

        async def receive(self):
            incoming_headers.set({"traceparent": "there"})
            return message

    (message,) = messages(1)
    wire = Wire(Channel())
    with sync.blocking(lambda: wire) as transport:
        token = outgoing_headers.set({"traceparent": "here"})
        transport.send(message)
        outgoing_headers.reset(token)
        assert wire.seen == {"traceparent": "here"}
        assert transport.receive() == message
        assert incoming_headers.get() == {"traceparent": "there"}


def test_a_transport_that_is_dropped_is_closed():
    """Forgetting one leaks nothing."""
    mock = MockTransport(quiet=True)
    transport = sync.blocking(lambda: mock)
    del transport
    deadline = time.monotonic() + 5
    while not mock.closed and time.monotonic() < deadline:
        time.sleep(0.001)  # another thread closes it, at its own time
    assert mock.closed


def test_a_script_that_closes_nothing_ends_cleanly(script):
    """Every transport is closed, and nothing is printed."""
    done = script(
        """
        class Noisy(MockTransport):
            async def close(self):
                await asyncio.sleep(0.01)
                print("closed", len(self.sent))

        transport = sync.blocking(Noisy)
        transport.send(message)
        other = sync.dial("chan:")
        """,
        "-W",
        "error",
        "-X",
        "dev",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "closed 1\n", "")


def test_what_a_script_has_sent_is_delivered_without_close(script, tmp_path):
    """A file has every line, and an HTTP listener every message, when the script has ended."""
    done = script(
        """
        from mist.transport.http import HTTP

        listener = sync.blocking(HTTP)
        listener.call(lambda http: http.listen("127.0.0.1:0"))
        out = sync.dial("file:out.jsonl")
        sender = sync.dial(f"http://{listener.transport.addr}")
        for _ in range(100):
            sender.send(message)
            out.send(listener.receive(timeout=10))
        """,
        "-W",
        "error",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    lines = (tmp_path / "out.jsonl").read_bytes().splitlines()
    assert [Message.unmarshal(line).decode() for line in lines] == [{"n": 1}] * 100


def test_closing_at_the_end_may_use_threads(script):
    """`asyncio.to_thread` works while the process ends, and a call that hangs keeps it not."""
    done = script(
        """
        class Threaded(MockTransport):
            async def close(self):
                await asyncio.to_thread(print, "closed on a thread")

        transport = sync.blocking(Threaded)
        other = sync.blocking(MockTransport)
        try:
            other.call(lambda _: asyncio.to_thread(time.sleep, 3600), timeout=0.05)
        except TransportError as exc:
            print(exc.code)
        other.call(lambda _: asyncio.to_thread(time.sleep, 0))
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "timeout\nclosed on a thread\n", "")
    assert done.took < 20


def test_a_script_ends_while_daemon_threads_and_tasks_wait(script):
    """Nobody who waits at the end prints a traceback or keeps the process."""
    done = script(
        """
        transport = sync.blocking(lambda: MockTransport(quiet=True))
        for _ in range(3):
            threading.Thread(target=transport.receive, daemon=True).start()
        time.sleep(0.1)
        """
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("hang", ["await asyncio.sleep(3600)", "time.sleep(3600)"])
def test_a_transport_that_hangs_in_closing_does_not_keep_the_process(script, hang):
    """The end waits some seconds, in real time, and no more."""
    done = script(
        f"""
        class Hanging(MockTransport):
            async def close(self):
                {hang}

        transport = sync.blocking(Hanging)
        """
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.took < 20


def test_a_transport_used_after_the_end_is_closed(script):
    """What runs at exit after the loop has ended gets an error instead of waiting for ever."""
    done = script(
        """
        import atexit

        def late():
            try:
                transport.receive()
            except TransportClosed as exc:
                print(exc)

        atexit.register(late)
        transport = sync.blocking(lambda: MockTransport(quiet=True))
        """
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "the transport is closed: the process is ending\n"


@POSIX
def test_an_interrupt_cancels_the_call_and_the_transport_goes_on(script):
    """Ctrl-C ends a receive with `KeyboardInterrupt`; the message after it is not lost."""
    done = script(
        """
        transport = sync.blocking(Channel)
        pid = os.getpid()
        threading.Timer(0.2, lambda: os.kill(pid, signal.SIGINT)).start()
        try:
            transport.receive()
        except KeyboardInterrupt:
            print("interrupted")
        transport.send(message)
        print(transport.receive(timeout=5) == message)
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\nTrue\n", "")


@POSIX
def test_an_interrupt_that_another_thread_is_given_ends_the_call_as_well(script):
    """The system may give it to any thread, and then wakes only that one."""
    done = script(
        """
        transport = sync.blocking(Channel)
        here = threading.get_ident
        threading.Timer(0.2, lambda: signal.pthread_kill(here(), signal.SIGINT)).start()
        try:
            transport.receive()
        except KeyboardInterrupt:
            print("interrupted")
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


@POSIX
def test_a_message_that_arrives_during_an_interrupt_is_received_next(script):
    """A receive that was done before it could be cancelled keeps its message for the next."""
    done = script(
        """
        class Stubborn(MockTransport):
            async def receive(self):
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    return message

        transport = sync.blocking(Stubborn)
        pid = os.getpid()
        threading.Timer(0.2, lambda: os.kill(pid, signal.SIGINT)).start()
        try:
            transport.receive()
        except KeyboardInterrupt:
            print("interrupted")
        print(transport.receive(timeout=5) == message)
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\nTrue\n", "")


def test_no_moment_of_an_interrupt_loses_a_message(messages):
    """Wherever Ctrl-C ends the beginning of a receive, or its wait, the next one has the message."""
    message, *_ = messages(1)
    with sync.blocking(Channel) as transport:
        for line in itertools.count():
            transport.send(message)
            try:
                with _interrupted_at(line):
                    transport.receive()
            except KeyboardInterrupt:
                assert transport.receive(timeout=5) == message, line
            else:
                break
    assert line > 8


@POSIX
def test_a_second_interrupt_loses_no_message(script):
    """What a call brings that was left for good is received next, once it is there."""
    done = script(
        """
        class Stubborn(MockTransport):
            async def receive(self):
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    if not left:
                        raise
                    await asyncio.sleep(1)
                    return left.pop()

        left = [message]
        transport = sync.blocking(Stubborn)
        pid = os.getpid()
        for moment in (0.2, 0.5):
            threading.Timer(moment, lambda: os.kill(pid, signal.SIGINT)).start()
        try:
            transport.receive()
        except KeyboardInterrupt:
            print("left" if left else "done")
        while left:
            time.sleep(0.01)
        time.sleep(0.2)
        print(transport.receive(timeout=5) == message)
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "left\nTrue\n", "")


@POSIX
def test_a_transport_that_was_made_during_an_interrupt_is_closed(script):
    """Nobody has it, and so nobody else could close it."""
    done = script(
        """
        class Noted(MockTransport):
            async def close(self):
                closed.set()

        async def connect():
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                return Noted()

        closed = threading.Event()
        pid = os.getpid()
        threading.Timer(0.2, lambda: os.kill(pid, signal.SIGINT)).start()
        try:
            sync.blocking(connect)
        except KeyboardInterrupt:
            print(closed.wait(5))
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


@contextlib.contextmanager
def _interrupted_at(line):
    """Raise KeyboardInterrupt where the nth line begins of what hands a call over and waits."""
    left = line

    def trace(frame, event, _arg):
        nonlocal left
        if frame.f_code.co_name not in {"call_soon_threadsafe", "_write_to_self", "wait"}:
            return trace
        if event == "line":
            left -= 1
            if left == -1:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@POSIX
def test_a_forked_child_has_its_own_loop(script):
    """The parent's transports are refused in the child, new ones work, and so do the old ones."""
    done = script(
        """
        parent = sync.dial("chan:")
        parent.send(message)
        pid = os.fork()
        if pid == 0:
            try:
                parent.receive()
            except TransportError as exc:
                print(exc.code, "dial again in the child" in str(exc), flush=True)
            parent.close()
            child = sync.dial("chan:")
            child.send(message)
            print(child.receive(timeout=5) == message, flush=True)
            sys.exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        print(parent.receive(timeout=5) == message)
        """,
        "-W",
        "ignore::DeprecationWarning",
    )
    assert done.stderr == ""
    assert done.stdout.split("\n") == ["validation True", "True", "7", "True", ""]


@POSIX
def test_a_worker_pool_that_forks_can_dial(script):
    """The fork method of multiprocessing after the parent has used its own loop."""
    done = script(
        """
        import multiprocessing

        def work(n):
            with sync.dial("chan:") as transport:
                transport.send(message)
                return transport.receive(timeout=5).id

        if __name__ == "__main__":
            with sync.dial("chan:") as transport:
                transport.send(message)
            with multiprocessing.get_context("fork").Pool(2) as pool:
                print(pool.map(work, range(4)) == [message.id] * 4)
        """,
        "-W",
        "ignore::DeprecationWarning",
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_the_public_names_are_the_declared_ones():
    """`__all__` lists what users call."""
    assert sync.__all__ == ["SyncTransport", "blocking", "dial"]
    assert all(hasattr(sync, name) for name in sync.__all__)


def test_importing_it_starts_no_thread():
    """The loop starts with the first transport."""
    source = "import mist.transport.sync, threading; print(threading.active_count())"
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"
