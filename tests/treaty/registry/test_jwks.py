"""Tokens of an issuer: with its keys, for us, in time; the token chooses nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.treaty.registry.asking import asking
from tests.treaty.registry.people import administration
from treaty.registry.access.issuer import Issuer
from treaty.registry.errors import StartRefused
from treaty.registry.guard.jwks import ASKED_AGAIN_SECONDS, KEPT_SECONDS, BadToken, JwtTokens, Keys, keys_in, reader_of
from treaty.registry.settings import RegistrySettings
from treaty.registry.stores.memory import MemoryStore
from treaty.registry.testing import registry

ISSUER = Issuer(jwks="keys.json", issuer="https://id.example", audience="registry")
KEYS: dict[str, Any] = {
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk(algorithm: str, **more: str) -> dict[str, Any]:
    """The public half of a key as its issuer publishes it."""
    made = jwt.get_algorithm_by_name(algorithm).to_jwk(KEYS[algorithm].public_key())
    return {**json.loads(made), "kid": algorithm, "use": "sig", **more}


def document(*keys: Mapping[str, Any]) -> bytes:
    return json.dumps({"keys": list(keys or map(jwk, KEYS))}).encode()


def claims(**changed: object) -> dict[str, object]:
    now = datetime.now(UTC).timestamp()
    usual = {"iss": ISSUER.issuer, "aud": ISSUER.audience, "sub": "ann", "exp": now + 300, "groups": ["staff"]}
    return {key: value for key, value in {**usual, **changed}.items() if value is not None}


def token(
    algorithm: str = "ES256", *, key: Any = None, headers: Mapping[str, Any] | None = None, **changed: object
) -> str:
    signed_with = key or KEYS[algorithm]
    return jwt.encode(
        claims(**changed), signed_with, algorithm=algorithm, headers={"kid": algorithm, **(headers or {})}
    )


def tokens(published: bytes | None = None) -> JwtTokens:
    return JwtTokens(ISSUER, Keys(lambda: published or document(), monotonic=lambda: 0.0))


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_token_speaks_for_its_subject(algorithm: str) -> None:
    said = tokens().claims(token(algorithm))
    assert (said.subject, said.groups) == ("ann", frozenset({"staff"}))


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": 1}, {"exp": None}, {"nbf": 2**40}, {"iss": "https://other.example"}, {"iss": None},
        {"aud": "other"}, {"aud": None}, {"aud": []}, {"sub": None}, {"exp": "soon"},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_that_is_not_for_us_now_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(BadToken):
        tokens().claims(jwt.encode(claims(**changed), KEYS["ES256"], algorithm="ES256", headers={"kid": "ES256"}))


def test_a_token_without_signature_is_refused() -> None:
    for name in ("none", "None", "NONE", ""):
        for signature in ("", part(b"x")):
            text = f"{part({'alg': name, 'kid': 'ES256'})}.{part(claims())}.{signature}"
            with pytest.raises(BadToken):
                tokens().claims(text)


@pytest.mark.parametrize("kid", KEYS)
@pytest.mark.parametrize("encoding", [serialization.Encoding.PEM, serialization.Encoding.DER])
def test_a_public_key_is_never_taken_for_a_shared_secret(kid: str, encoding: serialization.Encoding) -> None:
    public = KEYS[kid].public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    for secret in (public, json.dumps(jwk(kid)).encode()):
        signed = f"{part({'alg': 'HS256', 'kid': kid})}.{part(claims())}"
        signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        with pytest.raises(BadToken):
            tokens().claims(f"{signed}.{part(signature)}")


def test_a_shared_secret_that_an_issuer_publishes_is_no_key() -> None:
    secret = {"kty": "oct", "kid": "shared", "alg": "HS256", "k": part(b"x" * 32)}
    text = jwt.encode(claims(), b"x" * 32, algorithm="HS256", headers={"kid": "shared"})
    with pytest.raises(BadToken):
        tokens(document(secret)).claims(text)


@pytest.mark.parametrize(("algorithm", "kid"), [("RS256", "ES256"), ("ES256", "EdDSA"), ("EdDSA", "RS256")])
def test_an_algorithm_counts_only_with_a_key_of_its_own_kind(algorithm: str, kid: str) -> None:
    with pytest.raises(BadToken):
        tokens().claims(token(algorithm, headers={"kid": kid}))


@pytest.mark.parametrize("algorithm", ["RS384", "PS256"])
def test_other_algorithms_are_refused(algorithm: str) -> None:
    with pytest.raises(BadToken):
        tokens().claims(token(algorithm, key=KEYS["RS256"], headers={"kid": "RS256"}))


@pytest.mark.parametrize(
    "headers",
    [
        {"jwk": {"kty": "RSA"}}, {"jku": "https://evil.example/keys"}, {"x5u": "https://evil.example/c"},
    ],
    ids=lambda headers: next(iter(headers)),
)  # fmt: skip
def test_keys_come_from_the_issuer_whatever_the_header_says(headers: dict[str, Any]) -> None:
    with pytest.raises(BadToken):
        tokens().claims(token("RS256", key=STRANGER, headers=headers))


@pytest.mark.parametrize("headers", [{"kid": None}, {"kid": 7}, {"kid": "other"}, {"kid": "../x"}, {"crit": ["exp"]}])
def test_a_header_that_names_no_key_or_asks_for_more_is_refused(headers: dict[str, Any]) -> None:
    head = {"alg": "ES256", "kid": "ES256", **headers}
    body = f"{part({key: value for key, value in head.items() if value is not None})}.{part(claims())}"
    signature = jwt.get_algorithm_by_name("ES256").sign(body.encode(), KEYS["ES256"])
    with pytest.raises(BadToken):
        tokens().claims(f"{body}.{part(signature)}")


@pytest.mark.parametrize("text", ["", "a", "a.b", "a.b.c", "....", "\x00.\x00.\x00", "é.é.é"])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(BadToken):
        tokens().claims(text)


def test_keys_are_read_again_when_they_are_old_or_one_is_unknown_but_not_for_everybody_who_asks() -> None:
    clock, reads, published = [0.0], [0], [document(jwk("ES256"))]

    def read() -> bytes:
        reads[0] += 1
        return published[0]

    keys = Keys(read, monotonic=lambda: clock[0])
    keys.key("ES256")
    for _ in range(100):
        with pytest.raises(BadToken):
            keys.key("RS256")
    assert reads == [1]
    published[0] = document(jwk("RS256"))
    clock[0] += ASKED_AGAIN_SECONDS + 1
    keys.key("RS256")
    assert reads == [2]
    with pytest.raises(BadToken):
        keys.key("ES256")
    clock[0] += KEPT_SECONDS + 1
    keys.key("RS256")
    assert reads == [3]


@pytest.mark.parametrize("broken", [b"", b"[]", b"{}", b"\xff", b'{"keys": 1}'])
def test_an_issuer_that_is_away_locks_nobody_out_who_is_known(broken: bytes) -> None:
    clock, published = [0.0], [document()]
    keys = Keys(lambda: published[0], monotonic=lambda: clock[0])
    keys.key("ES256")
    published[0] = broken
    clock[0] += KEPT_SECONDS + 1
    assert keys.key("ES256").key_type == "EC"


def test_keys_that_mean_nothing_are_left_out() -> None:
    odd = [1, {}, {"kty": "RSA", "kid": "x"}, {**jwk("ES256"), "use": "enc"}, {**jwk("RS256"), "kid": 7}]
    assert set(keys_in(json.dumps({"keys": [*odd, jwk("EdDSA")]}).encode())) == {"EdDSA"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"jwks": "https://id.example/keys"}, "jwt_issuer and jwt_audience"),
        ({"jwks": "http://id.example/keys", "jwt_issuer": "i", "jwt_audience": "a"}, "over https"),
        ({"jwks": "http://127.0.0.1.evil.example/keys", "jwt_issuer": "i", "jwt_audience": "a"}, "over https"),
    ],
)
def test_an_issuer_whose_word_cannot_be_checked_stops_the_start(wrong: dict[str, str], words: str) -> None:
    with pytest.raises(StartRefused, match=words):
        RegistrySettings(**wrong).require_sense()  # type: ignore[arg-type]  # keys are names of settings


def test_keys_are_not_read_through_a_redirect_and_not_without_end(tmp_path: Path) -> None:
    with registry() as url:
        with pytest.raises(ValueError, match="answered 404"):
            reader_of(f"{url}/nothing")()
        assert reader_of(f"{url}/schemas/types")() == b'["AVRO"]'
    (tmp_path / "keys.json").write_bytes(document())
    assert reader_of(str(tmp_path / "keys.json"))() == document()


def test_an_issuers_people_have_the_grants_of_their_names_and_groups(tmp_path: Path) -> None:
    published = tmp_path / "keys.json"
    published.write_bytes(document())
    store = MemoryStore()
    operator = administration(store)
    operator.add_grant("group:staff", "reader", "*")
    operator.add_grant("jwt:ann", "writer", "orders-*")
    operator.add_grant("ann", "admin", "*")
    operator.add_grant("group:jwt:ann", "admin", "*")
    told = RegistrySettings(jwks=str(published), jwt_issuer=ISSUER.issuer, jwt_audience=ISSUER.audience)
    with registry(store, settings=told) as url, asking(url) as client:

        def asked(method: str, path: str, sent: str, body: object = None) -> int:
            return client.request(method, path, json=body, headers={"Authorization": f"Bearer {sent}"}).status_code

        ann, bob = token(), token(sub="bob", groups="staff")
        assert client.get("/subjects").status_code == 401
        assert asked("POST", "/subjects/orders-a/versions", ann, {"schema": '"int"'}) == 200
        assert asked("POST", "/subjects/goods-a/versions", ann, {"schema": '"int"'}) == 403
        assert asked("GET", "/subjects/orders-a/versions", bob) == 200
        assert asked("POST", "/subjects/orders-a/versions", bob, {"schema": '"int"'}) == 403
        assert asked("GET", "/subjects/orders-a/versions", token(sub="eve", groups=[])) == 404
        assert asked("GET", "/subjects", token(aud="other")) == 401
        assert {entry.actor for _, entry in store.audit() if entry.action == "register"} == {"jwt:ann"}
