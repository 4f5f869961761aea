"""What the generated clients meet in the interop tests: real listeners, and servers that lie."""

import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from textwrap import indent

MIST = [sys.executable, "-m", "mist.command"]
HARD_TEXT = '\u2028 \u2029 <>& 🎉 é \x00 \x1f \x7f \ufeff "quote" \\ back\n\t'
UNKNOWN = b'{ "b" : [1.0, 1e+21, 12345678901234567890],\t"a":"\\u003c<\\ud83c\\udf89" }'


@contextmanager
def mist_listener(directory, count, *flags):
    """Run `mist listen` into received.jsonl, until that many messages have come."""
    words = ["listen", "127.0.0.1:0", "--to", "received.jsonl", "--count", str(count), *flags]
    listener = subprocess.Popen([*MIST, *words], cwd=directory, stderr=subprocess.PIPE, text=True)
    with listener:
        try:
            yield listener.stderr.readline().split()[-1]
            assert listener.wait(30) == 0, listener.stderr.read()
        finally:
            listener.kill()


@contextmanager
def listener_script(directory, script):
    """Run a script that makes a listener of mist.transport and prints its URL."""
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=directory, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


def transport_listener(directory, body, **options):
    """Run a listener of mist.transport, `http`, that does what the body says."""
    return listener_script(
        directory,
        f"""
import asyncio, pathlib
from mist.transport import HTTP, File
async def main():
    async with HTTP(**{options!r}) as http:
        await http.listen("127.0.0.1:0")
        print(f"http://{{http.addr}}", flush=True)
{indent(body, " " * 8)}
asyncio.run(main())
""",
    )


@contextmanager
def http_server(answer):
    """Serve requests by a function of the handler and how many were posted before.

    Pages of any origin may post.
    """
    seen = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            answer(self, len(seen))

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.headers["Content-Type"], body))
            answer(self, len(seen))

        def do_OPTIONS(self):
            allowed = {"Access_Control_Allow_Headers": "*", "Access_Control_Allow_Origin": "*"}
            reply(self, 204, **allowed)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def never_answering(drip):
    """Serve answers that never end: after their beginning, these bytes now and then."""
    stop = threading.Event()

    def answer(handler, _):
        handler.close_connection = True
        with suppress(ConnectionError):  # the client leaves, as it should
            handler.wfile.write(b"HTTP/1.1 202 Accepted\r\nX: ")
            while not stop.wait(0.05):
                handler.wfile.write(drip)

    with http_server(answer) as (url, _):
        try:
            yield url
        finally:
            stop.set()


def reply(handler, status, body=b"", **headers):
    """Answer one request."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
