"""Messages over HTTP: posted to a URL, taken by a listener or by somebody's web application."""

import asyncio
import re
import ssl
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from mist.protocol import MAX_MESSAGE_SIZE, Message
from mist.transport.errors import TransportClosed, TransportError
from mist.transport.headers import incoming_headers
from mist.transport.http.acknowledgements import Acknowledgements
from mist.transport.http.address import DEFAULT_PATH, Target, parse_url
from mist.transport.http.endpoint import Endpoint, Received
from mist.transport.http.gate import Gate
from mist.transport.http.tls import client_context, server_context
from mist.transport.inbox import Inbox
from mist.transport.interface import Conversation

if TYPE_CHECKING:  # aiohttp and uvicorn are imported by the call that needs them
    from mist.transport.http.listener import Listener
    from mist.transport.http.sender import HTTPSender

T = TypeVar("T")

# What a browser says of a page (RFC 6454, section 6.2); null is a page without one.
_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^/?#\sA-Z]+")


class HTTP(Conversation):
    """Sends messages to a URL, and receives those posted to its listener or to its `asgi`.

    A message that was sent stands in the peer's inbox. To a peer that takes batches, the sends
    that wait while a request is in flight go together in the next one. Each still gets its own
    message's fate, and those of one trace arrive in the order in which they were sent.

    A send cancelled while it waits for its turn is not sent; one whose request is on its way may
    still arrive.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        timeout: float = 10.0,
        inbox: int = 1024,
        inbox_bytes: int = 256 << 20,
        path: str = DEFAULT_PATH,
        batch: bool = True,
        max_batch_messages: int = 1024,
        max_batch_bytes: int = 1 << 20,
        max_message_size: int = MAX_MESSAGE_SIZE,
        body_timeout: float = 10.0,
        shutdown_timeout: float = 5.0,
        allow_origins: Iterable[str] = (),
        manual_ack: bool = False,
        ca_file: str | None = None,
        cert_file: str | None = None,
        key_file: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Make a transport; nothing is imported, looked up or connected before it is needed.

        Args:
            url: Where to post: `http://host:port/path`, `https://...` or
                `http+unix:///path/to.sock`; without a path, to `/mist`. None: only receive.
            token: Bearer token (RFC 6750) to send along, and to demand of whoever posts here.
            timeout: Bound on one request, in seconds.
            inbox: How many received messages may wait; beyond that, peers are told to come back.
            inbox_bytes: How many bytes of payload may wait in all, and how many of bodies that are
                arriving may be held; one message is taken whatever its size.
            path: Where the listener takes messages.
            batch: Whether to send and to take batches, with peers that do.
            max_batch_messages: How many messages a batch holds at most.
            max_batch_bytes: How long a batch is at most, in bytes; a longer message goes alone.
            max_message_size: The largest payload to receive, in bytes.
            body_timeout: Bound on the arrival of a request's body, in seconds.
            shutdown_timeout: What `close` grants the requests that are being received, in seconds.
            allow_origins: Origins whose pages may post here from a browser, as that names them:
                `https://host:port` without a path; `*` allows all.
            manual_ack: Tell peers that a message was taken only once `acknowledge` was called for
                it, or the transport is closed; else they are told when it stands in the inbox.
            ca_file: Certificates (PEM) to trust instead of the system's when dialing `https://`.
            cert_file: The client certificate chain (PEM) to show when dialing.
            key_file: Its private key, where that is not in `cert_file`.
            ssl_context: TLS settings for dialing, instead of these three files.

        Raises:
            TransportError: Code `validation`: the URL or an option is wrong.
        """
        self._target = None if url is None else parse_url(url)
        _check_token(token)
        _check_positive(
            timeout=timeout,
            inbox=inbox,
            inbox_bytes=inbox_bytes,
            max_batch_messages=max_batch_messages,
            max_batch_bytes=max_batch_bytes,
            max_message_size=max_message_size,
            body_timeout=body_timeout,
        )
        if not path.startswith("/") or "?" in path or "#" in path:
            raise TransportError(
                f"path must be that of a URL, such as {DEFAULT_PATH!r}, got {path!r}",
                code="validation",
            )
        self._tls = None if ssl_context is None else (lambda: ssl_context)
        if ca_file or cert_file or key_file:
            self._tls = partial(client_context, ca_file, cert_file, key_file)
        if self._tls is not None and not (self._target and self._target.secure):
            raise TransportError(
                "these TLS settings are for dialing an https:// URL; give a listener's to listen()",
                code="validation",
            )
        self._token = token
        self._timeout = timeout
        self._path = path
        self._batch = batch
        self._max_batch_messages = max_batch_messages
        self._max_batch_bytes = max_batch_bytes
        self._shutdown_timeout = shutdown_timeout
        self._inbox: Inbox[Received] = Inbox(
            inbox, "the HTTP inbox", weigh=_payload_size, capacity=inbox_bytes
        )
        origins = _checked_origins(allow_origins)
        gate = Gate(path=path, token=token, batch=batch, allow_origins=origins)
        self._acknowledgements = Acknowledgements() if manual_ack else None
        self._endpoint = Endpoint(
            self._inbox,
            gate,
            batch=batch,
            max_message_size=min(max_message_size, MAX_MESSAGE_SIZE),
            max_arriving=inbox_bytes,
            body_timeout=body_timeout,
            acknowledgements=self._acknowledgements,
        )
        self._opening = asyncio.Lock()
        self._receives = False
        self._sender: HTTPSender | None = None
        self._listener: Listener | None = None
        self._closed = False
        self._closing: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        where = [self._target.name] if self._target else []
        if self._listener is not None:
            where.append(f"listening at {self._listener.address}")
        return f"<HTTP {', '.join(where) or 'without a URL'}>"

    @property
    def asgi(self) -> Endpoint:
        """The receiver as an ASGI 3 application, to be mounted in any web application."""
        self._receives = True
        return self._endpoint

    @property
    def addr(self) -> str:
        """Where the listener really listens, such as `127.0.0.1:41231` or `unix:/path`."""
        return self._listening().address

    @property
    def listen_url(self) -> str:
        """The URL that reaches the listener from this machine."""
        return self._listening().url

    @property
    def batching(self) -> bool:
        """Whether the peer is known to take batches, in which sends keep their order."""
        return self._sender is not None and self._sender.peer_batches

    async def listen(
        self,
        address: str,
        *,
        cert_file: str | None = None,
        key_file: str | None = None,
        client_ca_file: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        header_timeout: float = 10.0,
        max_connections: int = 1024,
        backlog: int = 2048,
    ) -> None:
        """Take messages at an address until the transport is closed; returns when it answers.

        Args:
            address: `host:port`, `:port` for every interface, `[::1]:port` or `unix:/path`;
                port 0 is any free port, which `addr` tells.
            cert_file: The listener's certificate chain (PEM); given, it speaks TLS.
            key_file: Its private key, where that is not in `cert_file`.
            client_ca_file: Demand of peers a certificate signed by one of these (PEM).
            ssl_context: TLS settings, instead of these three files.
            header_timeout: Bound on the arrival of a request's head, on that of a body which was
                refused, and on the reading of an answer, in seconds.
            max_connections: How many connections are served at once; more are turned away.
            backlog: How many connections may wait to be accepted.

        Raises:
            TransportError: The address or an option is wrong (code `validation`), the address is
                in use (`conflict`), or a file cannot be used.
            TransportClosed: The transport was closed.
        """
        _check_positive(header_timeout=header_timeout, max_connections=max_connections)
        if cert_file is not None:
            ssl_context = await asyncio.to_thread(
                server_context, cert_file, key_file, client_ca_file
            )
        elif key_file or client_ca_file:
            raise TransportError("TLS needs the listener's cert_file", code="validation")
        async with self._opening:
            self._refuse_if_closed()
            if self._listener is not None:
                raise TransportError(
                    f"already listening at {self._listener.address}; use a second transport for"
                    " a second address",
                    code="conflict",
                )
            listener_type = await _load(_import_listener)
            listener = await listener_type.start(
                address,
                self._endpoint,
                path=self._path,
                ssl_context=ssl_context,
                header_timeout=header_timeout,
                max_connections=max_connections,
                backlog=backlog,
            )
            if self._closed:
                await listener.close(0)
                self._refuse_if_closed()
            self._receives = True
            self._listener = listener

    async def send(self, message: Message) -> None:
        """Post one message and wait until the peer has taken it.

        Raises:
            MessageTooLarge: It is over the limit; nothing was sent.
            Rejected: The peer answered, and did not take it.
            TransportTimeout: There was no answer in time; the peer may have taken it.
            TransportError: The peer could not be reached, or went away; in the latter case it
                may have taken it.
            TransportClosed: The transport was closed.
        """
        sender = self._sender
        if sender is None:
            sender = await self._open_sender()
        await sender.send(message)

    async def receive(self) -> Message:
        """Wait for a message that somebody posts; `incoming_headers` is then set to its trace.

        Raises:
            TransportClosed: The transport was closed, and what it held has been received.
            TransportError: Code `validation`: nothing can arrive, for want of a listener.
        """
        if not self._receives and not self._closed:
            raise TransportError(
                "nothing can arrive here: call listen(), or mount `asgi` in a web application",
                code="validation",
            )
        message, trace = await self._inbox.take()
        incoming_headers.set(trace)
        return message

    def acknowledge(self, count: int = 1) -> None:
        """With `manual_ack`, let peers know that messages are safe; without, do nothing.

        Args:
            count: How many more, in the order in which they were received.
        """
        if self._acknowledgements is not None:
            self._acknowledgements.add(count)

    async def close(self) -> None:
        """Finish what was begun, within the timeouts, and release everything.

        What a peer was told was taken can still be received afterwards. With `manual_ack`, peers
        that wait for an acknowledgement are told now that their messages were taken.

        A call that is cancelled does not stop the closing, and the next one waits for it.
        """
        self._closed = True
        if self._acknowledgements is not None:
            self._acknowledgements.end()
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        try:
            if self._listener is not None:
                await self._listener.close(self._shutdown_timeout)
        finally:
            self._inbox.close()
            if self._sender is not None:
                await self._sender.close()

    async def _open_sender(self) -> "HTTPSender":
        target = self._refuse_if_untargeted()
        async with self._opening:
            if self._sender is None:
                # Reading certificates and importing are left to a thread: both take a while.
                tls = await asyncio.to_thread(self._tls) if self._tls else None
                sender_type = await _load(_import_sender)
                self._refuse_if_closed()
                self._sender = sender_type(
                    target,
                    token=self._token,
                    timeout=self._timeout,
                    ssl_context=tls,
                    batch=self._batch,
                    max_batch_messages=self._max_batch_messages,
                    max_batch_bytes=self._max_batch_bytes,
                )
        return self._sender

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise TransportClosed("the HTTP transport is closed")

    def _refuse_if_untargeted(self) -> Target:
        if self._target is None:
            raise TransportError(
                "this transport only receives; give HTTP a URL to send to", code="validation"
            )
        return self._target

    def _listening(self) -> "Listener":
        if self._listener is None:
            raise TransportError("not listening; call listen() first", code="validation")
        return self._listener


def _payload_size(received: Received) -> int:
    return len(received[0].payload)


async def _load(import_it: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(import_it)
    except OSError as exc:  # modules are files, for which there may be no descriptor
        raise TransportError.from_os_error(exc, "cannot load what HTTP needs") from exc


def _import_sender() -> "type[HTTPSender]":
    from mist.transport.http.sender import HTTPSender  # noqa: PLC0415  # imports aiohttp

    return HTTPSender


def _import_listener() -> "type[Listener]":
    from mist.transport.http.listener import Listener  # noqa: PLC0415  # imports uvicorn

    return Listener


def _check_positive(**options: float) -> None:
    for name, value in options.items():
        try:
            is_positive = value > 0
        except TypeError as exc:  # text from a file or the environment, say
            raise TransportError(
                f"{name} must be a number, got {value!r}", code="validation"
            ) from exc
        if not is_positive:
            raise TransportError(f"{name} must be positive, got {value}", code="validation")


def _checked_origins(origins: Iterable[str]) -> frozenset[str]:
    checked = frozenset([origins] if isinstance(origins, str) else origins)
    for origin in checked:
        if not _ORIGIN.fullmatch(origin):
            raise TransportError(
                f"{origin!r} in allow_origins is no origin: write it as a browser does,"
                " https://host:port in small letters and without a path",
                code="validation",
            )
    return checked


def _check_token(token: str | None) -> None:
    # The text does not repeat the token: errors end up in logs.
    if token is not None and not (token.isascii() and token.isprintable() and token.strip()):
        raise TransportError(
            "token must be visible ASCII characters, as it travels in a header", code="validation"
        )
