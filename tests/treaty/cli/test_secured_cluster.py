"""Operators' commands towards a broker that asks who is there: SASL over TLS, client certificates, and every refusal."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.parts.secured_kafka import OPERATOR, PASSWORD, SecuredKafka
from tests.treaty.cli.scratch import Done, project
from tests.treaty.registry.certificates import Authority
from treaty.config import Settings
from treaty.errors import UsageError
from treaty.local.machine import Machine
from treaty.ops.doctor import CHECKS, Patient, made
from treaty.ops.http import RegistryHttp
from treaty.wiring import access_to_cluster, cluster_of

BROKERS, PROTOCOL = "BROKERS", "SECURITY_PROTOCOL"


def variables(**given: object) -> dict[str, str]:
    return {f"TREATY_ENVIRONMENT_PROD__{name}": str(value) for name, value in given.items()}


def written(folder: Path, text: str) -> Path:
    file = folder / "treaty.toml"
    file.write_text(f"[environment.prod]\n{text}\n")
    return file


def asked(folder: Path, text: str, env: dict[str, str], *command: str) -> Done:
    scratch = project(folder / "project", toml=f"[environment.prod]\n{text}\n")
    return scratch.run(*command, "--env", "prod", cwd=None, **env)


@pytest.fixture(scope="module")
def secured(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """A running broker whose operator has a password."""
    broker = SecuredKafka(tmp_path_factory.mktemp("secured"), machine=machine)
    broker.start()
    broker.admit()
    yield broker
    broker.stop()


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """The file with the operator's password."""
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    file.chmod(0o600)
    return file


@pytest.mark.long
@pytest.mark.kafka
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
def test_commands_log_in_over_tls(secured: SecuredKafka, tmp_path: Path, password: Path, mechanism: str) -> None:
    text = (
        f"security_protocol = 'SASL_SSL'\nsasl_mechanism = '{mechanism}'\nsasl_username = '{OPERATOR}'\n"
        f"ssl_ca_file = '{secured.authority.certificate}'"
    )
    env = variables(BROKERS=secured.sasl, SASL_PASSWORD_FILE=password)
    for command in (["groups", "list"], ["dlq", "list"]):
        answer = asked(tmp_path, text, env, *command)
        assert answer.code == 0, answer
        assert PASSWORD not in f"{answer}"


@pytest.mark.long
@pytest.mark.kafka
def test_commands_show_a_client_certificate(secured: SecuredKafka, tmp_path: Path) -> None:
    certificate, key = secured.authority.make("operator")
    text = f"security_protocol = 'SSL'\nssl_ca_file = '{secured.authority.certificate}'"
    env = variables(BROKERS=secured.tls, SSL_CERTIFICATE_FILE=certificate, SSL_KEY_FILE=key)
    answer = asked(tmp_path, text, env, "groups", "list")
    assert answer.code == 0, answer


@pytest.mark.long
@pytest.mark.kafka
@pytest.mark.parametrize("fault", ["wrong password", "unknown authority", "no TLS"])
def test_a_cluster_that_does_not_let_us_in_is_an_environment_fault_without_the_secret(
    secured: SecuredKafka, tmp_path: Path, password: Path, fault: str
) -> None:
    authority = secured.authority.certificate
    if fault == "wrong password":
        password.write_text("another one")
    elif fault == "unknown authority":
        authority = Authority(tmp_path, "stranger").certificate
    text, given = "", {}
    if fault != "no TLS":
        text = f"security_protocol = 'SASL_SSL'\nsasl_username = '{OPERATOR}'\nssl_ca_file = '{authority}'"
        given = {"SASL_PASSWORD_FILE": password}
    answer = asked(tmp_path, text, variables(BROKERS=secured.sasl, **given), "groups", "list")
    assert answer.code == 3, answer
    assert fault == "no TLS" or "does not let us in" in answer.err, answer
    assert PASSWORD not in f"{answer}"
    assert "another one" not in f"{answer}"


@pytest.mark.parametrize(
    ("text", "given", "words"),
    [
        ("security_protocol = 'TLS'", {}, "security_protocol is one of PLAINTEXT, SSL"),
        ("security_protocol = 'SASL_SSL'", {}, "needs sasl_username and sasl_password_file"),
        (
            "security_protocol = 'SASL_PLAINTEXT'\nsasl_username = 'ann'",
            {"SASL_PASSWORD_FILE": "p"},
            "sends the password readable",
        ),
        ("security_protocol = 'SSL'\nssl_ca_file = 'none.pem'", {}, "none.pem is no file"),
        ("sasl_password_file = 'p'", {}, "secrets come from variables only"),
        (
            "security_protocol = 'SASL_SSL'\nsasl_username = 'ann'\nsasl_mechanism = 'GSSAPI'",
            {"SASL_PASSWORD_FILE": "p"},
            "sasl_mechanism",
        ),
    ],
)
def test_what_contradicts_itself_is_refused_before_anything_is_asked(
    tmp_path: Path, text: str, given: dict[str, str], words: str
) -> None:
    file = written(tmp_path, text)
    with pytest.raises(UsageError, match=words):
        access_to_cluster(Settings.load(file, variables(BROKERS="127.0.0.1:1", **given), start=tmp_path), "prod")


def test_a_password_never_goes_to_brokers_out_of_a_file(tmp_path: Path, password: Path) -> None:
    """A repository that somebody else wrote may name its own brokers: the operator's password stays at home."""
    file = written(tmp_path, "brokers = 'evil:9092'\nsecurity_protocol = 'SASL_SSL'\nsasl_username = 'ann'")
    told = Settings.load(file, variables(SASL_PASSWORD_FILE=password), start=tmp_path)
    with pytest.raises(UsageError, match="only to an address that a variable names too"):
        access_to_cluster(told, "prod")


def test_a_cluster_without_security_needs_nothing(tmp_path: Path) -> None:
    told = Settings.load(written(tmp_path, "brokers = 'here:9092'"), {}, start=tmp_path)
    assert access_to_cluster(told, "prod") == {}


@pytest.mark.long
@pytest.mark.kafka
@pytest.mark.parametrize("door", ["unnamed", "astray"])
def test_a_broker_that_sends_clients_where_nobody_is_answers_and_is_told_from_one_that_is_well(
    secured: SecuredKafka, tmp_path: Path, door: str
) -> None:
    """The first answer comes; everything after it hangs, unless somebody looks where it leads."""
    settings = Settings.load(written(tmp_path, f"brokers = '{getattr(secured, door)}'"), {}, start=tmp_path)
    patient = Patient(
        settings=settings,
        environment="prod",
        registry=partial(RegistryHttp, "http://127.0.0.1:1"),
        cluster=partial(cluster_of, settings, "prod"),
    )
    names = ("DNS", "TCP", "broker", "advertised")
    found = {name: made(name, partial(CHECKS[name], patient)) for name in names}
    assert [name for name, row in found.items() if row.state == "failed"] == ["advertised"], found
    told, step = str(found["advertised"].detail), str(found["advertised"].next_step)
    if door == "unnamed":
        assert told.startswith("Kafka advertises kafka.invalid:9092, a name that is not known here: ")
        assert (
            step == "let DNS or /etc/hosts know kafka.invalid, or set advertised.listeners to a name that clients know"
        )
    else:
        assert told == f"Kafka advertises {secured.nowhere}, which does not answer from here: Connection refused"
        assert step == "set advertised.listeners to an address that clients reach"
