"""TLS for both ends: who is trusted, and who this side says it is."""

import ssl
from collections.abc import Callable
from typing import TypeVar

from mist.transport.errors import TransportError

T = TypeVar("T")


def client_context(
    ca_file: str | None = None, cert_file: str | None = None, key_file: str | None = None
) -> ssl.SSLContext:
    """Return what a sender checks its peer with, TLS 1.2 or newer.

    Args:
        ca_file: Certificates (PEM) that are trusted instead of the system's.
        cert_file: The certificate chain (PEM) that this side shows when it is asked for one.
        key_file: Its private key, where that is not in `cert_file`.

    Raises:
        TransportError: A file cannot be used.
    """
    context = _refusing_bad_file(ca_file, lambda: ssl.create_default_context(cafile=ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _show(context, cert_file, key_file)
    return context


def server_context(
    cert_file: str, key_file: str | None = None, client_ca_file: str | None = None
) -> ssl.SSLContext:
    """Return what a listener shows its peers, TLS 1.2 or newer.

    Args:
        cert_file: The listener's certificate chain (PEM).
        key_file: Its private key, where that is not in `cert_file`.
        client_ca_file: Demand of each client a certificate signed by one of these (PEM).

    Raises:
        TransportError: A file cannot be used.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _show(context, cert_file, key_file)
    if client_ca_file is not None:
        _refusing_bad_file(
            client_ca_file, lambda: context.load_verify_locations(cafile=client_ca_file)
        )
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _show(context: ssl.SSLContext, cert_file: str | None, key_file: str | None) -> None:
    if cert_file is None:
        if key_file is not None:
            raise TransportError(
                f"key_file {key_file!r} is of no use without its cert_file", code="validation"
            )
        return
    files = cert_file if key_file is None else f"{cert_file} with key {key_file}"
    _refusing_bad_file(files, lambda: context.load_cert_chain(cert_file, key_file))


def _refusing_bad_file(files: str | None, load: Callable[[], T]) -> T:
    try:
        return load()
    except ssl.SSLError as exc:
        raise TransportError(
            f"cannot use {files} for TLS: {exc.reason or exc}; expected a certificate and its"
            " private key in PEM form",
            code="validation",
        ) from exc
    except OSError as exc:
        raise TransportError.from_os_error(exc, f"cannot read {files}") from exc
