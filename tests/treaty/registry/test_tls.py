"""TLS: only to those who ask for it, with certificates that can be renewed."""

from __future__ import annotations

import os
import shutil
import ssl
from pathlib import Path

import httpx
import pytest

from tests.treaty.registry.certificates import Authority
from tests.treaty.registry.running import running
from treaty.ops.http import RegistryHttp, RegistryUnreachable
from treaty.registry.errors import StartRefused
from treaty.registry.process.tls import Certificate, TlsFiles
from treaty.registry.settings import RegistrySettings


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority whose files lie in the test's own folder."""
    return Authority(tmp_path)


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.certificate))


def test_a_registry_answers_over_tls_and_not_without(authority: Authority) -> None:
    certificate, key = authority.make("registry")
    with running(database="memory:", tls_cert=str(certificate), tls_key=str(key)) as (_, port):
        answer = httpx.get(f"https://127.0.0.1:{port}/", verify=trusting(authority), timeout=60)
        assert answer.status_code == 200
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{port}/", timeout=60)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"https://127.0.0.1:{port}/", timeout=60)
        commands = RegistryHttp(f"HTTPS://127.0.0.1:{port}", sleep=lambda _: None)
        with commands, pytest.raises(RegistryUnreachable, match="certificate"):
            commands.mode()


def test_clients_need_a_certificate_where_an_authority_is_named(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.make("registry")
    other = tmp_path / "other"
    other.mkdir()
    stranger = Authority(other, "stranger")
    authorities = str(authority.certificate)
    with running(database="memory:", tls_cert=str(certificate), tls_key=str(key), tls_ca=authorities) as (_, port):
        url = f"https://127.0.0.1:{port}/"
        known, unknown = trusting(authority), trusting(authority)
        known.load_cert_chain(*authority.make("client"))
        unknown.load_cert_chain(*stranger.make("client"))
        assert httpx.get(url, verify=known, timeout=60).status_code == 200
        for context in (unknown, trusting(authority)):
            with pytest.raises(httpx.HTTPError):
                httpx.get(url, verify=context, timeout=60)


async def test_new_files_are_taken_and_files_that_do_not_fit_are_not(authority: Authority, tmp_path: Path) -> None:
    said: list[str] = []
    certificate, key = (Path(shutil.copy(file, tmp_path / f"live{file.suffix}")) for file in authority.make("first"))
    live = Certificate(TlsFiles(certificate=certificate, key=key), say=said.append)
    assert live.context.minimum_version is ssl.TLSVersion.TLSv1_2
    await live.renew()
    assert said == []
    second = authority.make("second")
    shutil.copy(second[0], certificate)
    os.utime(certificate, (1, 1))
    await live.renew()
    assert "the old ones stay" in said.pop()
    assert served_name(live, authority) == "first"
    shutil.copy(second[1], key)
    os.utime(key, (2, 2))
    await live.renew()
    assert "renewed" in said.pop()
    assert served_name(live, authority) == "second"


def served_name(certificate: Certificate, authority: Authority) -> str:
    """The common name that a client sees in a handshake with this context."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = certificate.context.wrap_bio(to_server, to_client, server_side=True)
    client = trusting(authority).wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    subject = client.getpeercert() or {}
    return str(dict(pair[0] for pair in subject["subject"])["commonName"])  # type: ignore[misc]  # nested tuples of ssl's own


def test_files_that_cannot_be_used_stop_the_start(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.make("registry")
    _, foreign = authority.make("other")
    _, locked = authority.make("locked", password=b"secret")
    for wrong in (foreign, locked, tmp_path / "none"):
        with pytest.raises(StartRefused, match="cannot be used") as refused:
            Certificate(TlsFiles(certificate=certificate, key=wrong), say=str)
        assert refused.value.exit_code == 2
    for half in (RegistrySettings(tls_cert="a"), RegistrySettings(tls_key="a"), RegistrySettings(tls_ca="a")):
        with pytest.raises(StartRefused, match="needs both"):
            half.require_sense()
    assert key.exists()
