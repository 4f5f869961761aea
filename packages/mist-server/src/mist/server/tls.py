"""TLS of the server: what it shows its clients."""

import ssl
from os import PathLike

from mist.errors import Code
from mist.server.errors import ServerError


def server_context(
    cert_file: str | PathLike[str], key_file: str | PathLike[str] | None
) -> ssl.SSLContext:
    """Return what a server shows its clients, TLS 1.2 or newer.

    Args:
        cert_file: The certificate chain (PEM).
        key_file: Its private key (PEM), where that is not in `cert_file`.

    Raises:
        ServerError: A file cannot be used.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    files = str(cert_file) if key_file is None else f"{cert_file} with key {key_file}"
    try:
        context.load_cert_chain(cert_file, key_file)
    except ssl.SSLError as exc:
        raise ServerError(
            Code.VALIDATION,
            f"cannot use {files} for TLS: {exc.reason or exc}; expected a certificate and its"
            " private key in PEM form",
        ) from exc
    except OSError as exc:
        raise ServerError.from_os_error(exc, f"cannot read {files}", remedied=False) from exc
    return context
