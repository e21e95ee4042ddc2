# SPDX-License-Identifier: GPL-3.0-or-later
"""How a connection to an API server is secured, and what is wrong where it cannot be."""

import re
import ssl
import tempfile

from ..objects.errors import ConnectionFailed
from .cluster_access import ClusterAccess
from .credentials import Credentials, data_or_file

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
# X509_V_ERR_* of OpenSSL (openssl/x509_vfy.h)
_NOT_YET_VALID, _EXPIRED = 9, 10
_HOSTNAME_MISMATCH, _ADDRESS_MISMATCH = 62, 64
# Words of OpenSSL for an answer that is no TLS
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST")


def tls_context(access: ClusterAccess, credentials: Credentials, scratch_directory: str | None) -> ssl.SSLContext:
    """Return the context for connections to a server.

    :param scratch_directory: where the client's certificate and key lie for the moment in which OpenSSL reads them.
    :raises ConnectionFailed: when a certificate or a key is none.
    """
    authority = data_or_file(access.cluster, "certificate-authority", access.source)
    if access.cluster.get("insecure-skip-tls-verify"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif authority or access.cluster.get("certificate-authority"):
        # Python 3.13 asks of an authority what many clusters' own do not have, and kubectl does not ask
        # (VERIFY_X509_STRICT). As in kubectl, each certificate that is given is trusted, also one that is no root.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        _load_authority(context, authority, access)
    else:
        context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if credentials.key:
        _load_client_certificate(context, access, credentials, scratch_directory)
    return context


def _load_authority(context: ssl.SSLContext, authority: bytes, access: ClusterAccess) -> None:
    certificates = b"\n".join(_CERTIFICATE.findall(authority)).decode("ascii", "replace")
    try:
        context.load_verify_locations(cadata=certificates)
    except (ssl.SSLError, ValueError, TypeError):
        raise ConnectionFailed(
            f"The certificate authority (certificate-authority, ca_cert) of {access.source} is no certificate in the "
            "form PEM."
        ) from None


def _load_client_certificate(
    context: ssl.SSLContext, access: ClusterAccess, credentials: Credentials, scratch_directory: str | None
) -> None:
    with tempfile.NamedTemporaryFile(prefix="agentsmith-", dir=scratch_directory) as file:
        file.write(credentials.key + b"\n" + credentials.certificate + b"\n")
        file.flush()
        try:
            context.load_cert_chain(file.name, password="")  # else OpenSSL asks for one on the terminal
        except (ssl.SSLError, ValueError) as error:
            reason = "they do not belong together" if "MISMATCH" in str(error) else "they are none in the form PEM"
            raise ConnectionFailed(
                f"The client certificate and key of {access.user_name} cannot be used: {reason}, or the key has a "
                "password."
            ) from None


def is_final(error: ssl.SSLError) -> bool:
    """Tell whether another attempt would end alike: an untrusted certificate, no TLS, or a refused client."""
    return isinstance(error, ssl.SSLCertVerificationError) or _speaks_no_tls(error) or _refuses_client(error)


def tls_fault(error: ssl.SSLError, where: str) -> str:
    """Say what is wrong.

    :param where: words for the server.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate_fault(error, where)
    if _speaks_no_tls(error):
        return (
            f"The API server {where} does not speak TLS: it answered with something else. Check the port, and whether "
            "server in the kubeconfig must begin with http://."
        )
    if _refuses_client(error):
        return (
            f"The API server {where} does not accept the client certificate ({error.reason}). Renew it in the "
            "kubeconfig."
        )
    return ""


def _certificate_fault(error: ssl.SSLCertVerificationError, where: str) -> str:
    told = f"The certificate of the API server {where} is not trusted: {error.verify_message.rstrip('.')}."
    if error.verify_code in (_EXPIRED, _NOT_YET_VALID):
        return f"{told} Renew it on the cluster, and check the clock of this machine."
    if error.verify_code in (_HOSTNAME_MISMATCH, _ADDRESS_MISMATCH):
        return f"{told} Use a name that the certificate has as server, or give it as tls-server-name in the kubeconfig."
    return f"{told} Give the certificate of the authority that signed it in ca_cert, or in the kubeconfig."


def _speaks_no_tls(error: ssl.SSLError) -> bool:
    return any(words in str(error.reason) for words in _NO_TLS)


def _refuses_client(error: ssl.SSLError) -> bool:
    return "ALERT" in str(error.reason) and ("CERTIFICATE" in str(error.reason) or "UNKNOWN_CA" in str(error.reason))
