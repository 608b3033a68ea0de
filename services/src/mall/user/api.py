"""Accounts over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, Field, StringConstraints

from mall.errors import Unprocessable, WrongPassword
from mall.idempotency import Attempt
from mall.requests import Body, Note, Text
from mall.user import accounts, store
from mall.user.accounts import Wanted
from mall.user.answers import (
    AccountAnswer,
    RegisteredAnswer,
    StatusAnswer,
    TokenAnswer,
    account_answer,
    status_answer,
)
from mall.user.domain import bucket_of, fault_of_email, fault_of_name
from mall.user.signing_in import PER_ADDRESS, Caller, Door, Proof, renew, sign_in
from mall.user.tables import idempotency_keys
from mall.user.tokens import Claims, Signer
from mall.web import AtDesk, IdempotencyKey, PathId, Who
from mall_events.user import UserStatus

routes = APIRouter(prefix="/api/v1")
LONGEST_AGENT = 500
PASSWORD_CHANGES = 10
"""Attempts in a minute of one account: who holds a stolen token cannot guess the password with it."""


def _caller(request: Request) -> Caller:
    agent = request.headers.get("User-Agent", "")[:LONGEST_AGENT]
    printable = "".join(sign for sign in agent if sign.isprintable())
    return Caller(ip=request.client.host if request.client else "unknown", user_agent=printable)


def _door(request: Request) -> Door:
    door: Door = request.app.state.door
    return door


def _signer(request: Request) -> Signer:
    signer: Signer = request.app.state.signer
    return signer


From = Annotated[Caller, Depends(_caller)]
AtDoor = Annotated[Door, Depends(_door)]
Signs = Annotated[Signer, Depends(_signer)]


def _name(name: str) -> str:
    if fault := fault_of_name(name):
        raise ValueError(f"a name {fault}")
    return name


def _address(address: str) -> str:
    if fault := fault_of_email(address):
        raise ValueError(f"an e-mail address {fault}")
    return address


Username = Annotated[str, AfterValidator(_name)]
Email = Annotated[str, AfterValidator(_address)]
Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
Password = Annotated[Text, Field(min_length=8, max_length=256, repr=False)]
Guess = Annotated[Text, Field(min_length=1, max_length=256, repr=False)]
Locale = Literal["en", "zh"]


class Register(Body):
    """A new account."""

    username: Username
    email: Email
    password: Password
    locale: Locale = "zh"


class RegisterOnce(Body):
    """What makes two registrations one; of the password only a mark, which is worth nothing without the signing key."""

    username: str
    email: str
    locale: str
    mark: str


class Login(Body):
    """A name and its password."""

    username: Annotated[Text, Field(min_length=1, max_length=100)]
    password: Guess
    device_id: Annotated[Text, Field(min_length=1, max_length=100)] | None = None


class EditProfile(Body):
    """The fields to change; a phone number of null removes it."""

    username: Username | None = None
    email: Email | None = None
    phone: Phone | None = None
    locale: Locale | None = None
    bio: Annotated[Text, Field(max_length=500)] | None = None


class ChangePassword(Body):
    """The old password proves who asks."""

    old_password: Guess
    new_password: Password


class SetStatus(Body):
    """A new status; the user reads the reason."""

    status: Literal["ACTIVE", "SUSPENDED", "DELETED"]
    reason: Note | None = None


class Farewell(Body):
    """Why somebody leaves."""

    reason: Note | None = None


@routes.post("/users/register", status_code=201, response_model=RegisteredAnswer)
async def register(
    body: Register, *, desk: AtDesk, door: AtDoor, caller: From, signer: Signs, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Open an account; a mail welcomes its owner."""
    await door.limits.spend(f"register:{bucket_of(caller.ip)}", per_minute=PER_ADDRESS)
    password_hash = await door.passwords.hashed(body.password)
    wanted = Wanted(username=body.username, email=body.email, locale=body.locale)
    mark = signer.mark(body.password)
    same = RegisterOnce(username=body.username, email=body.email, locale=body.locale, mark=mark)
    attempt = Attempt(key=idempotency_key, user_id=0, operation="register", body=same)
    async with desk.open() as work:

        async def once() -> RegisteredAnswer:
            row = await accounts.register(work, wanted=wanted, password_hash=password_hash)
            return RegisteredAnswer(
                user_id=row.id or 0,
                username=row.username,
                email=row.email,
                locale=row.locale,
                created_at=row.created_at,
            )

        answer = await idempotency_keys.once(work.session, attempt, now=work.now, work=once)
    return JSONResponse(answer, status_code=201)


@routes.post("/users/login")
async def login(
    body: Login, *, desk: AtDesk, door: AtDoor, caller: From, signer: Signs, response: Response
) -> TokenAnswer:
    """Sign in: a token for an hour, of a session that lives for thirty days."""
    proof = Proof(username=body.username, password=body.password, device_id=body.device_id)
    return _token(await sign_in(desk, door, proof=proof, caller=caller), signer, response)


@routes.post("/users/token")
async def token(*, who: Who, desk: AtDesk, door: AtDoor, signer: Signs, response: Response) -> TokenAnswer:
    """A fresh token for the session of the one that is sent, before that one ends."""
    async with desk.open() as work:
        claims = await renew(work, door, who=who)
    return _token(claims, signer, response)


@routes.post("/users/logout", status_code=204)
async def logout(who: Who, desk: AtDesk) -> None:
    """End the session; its token is good for nothing here, and elsewhere for the rest of its hour."""
    if who.session_id is not None:
        async with desk.open() as work:
            await store.end_session(work.session, who.session_id)


@routes.get("/users/me")
async def me(who: Who, desk: AtDesk) -> AccountAnswer:
    """The caller's own account."""
    async with desk.look() as session:
        row, account = await accounts.own(session, who, now=desk.now())
    return account_answer(account, row)


@routes.patch("/users/me")
async def edit_me(body: EditProfile, who: Who, desk: AtDesk) -> AccountAnswer:
    """Change fields of one's profile."""
    wanted = body.model_dump(exclude_unset=True)
    if empty := [name for name, value in wanted.items() if value is None and name != "phone"]:
        raise Unprocessable("field_required", f"`{empty[0]}` cannot be removed.", next_step="Leave it out, or fill it.")
    async with desk.open() as work:
        row, account = await accounts.save_edit(work, who=who, wanted=wanted)
    return account_answer(account, row)


@routes.delete("/users/me", status_code=204)
async def delete_me(who: Who, desk: AtDesk, body: Farewell | None = None) -> None:
    """Delete one's account for good: profile, sessions, contact, inbox and pictures are erased, orders and messages stay."""
    async with desk.open() as work:
        await accounts.own(work.session, who, now=work.now, lock=True)
        reason = body.reason if body else None
        await accounts.set_status(work, user_id=who.user_id, to=UserStatus.DELETED, who=who, reason=reason)


@routes.put("/users/me/password", status_code=204)
async def change_password(body: ChangePassword, *, who: Who, desk: AtDesk, door: AtDoor, caller: From) -> None:
    """Change one's password; all other sessions end, and a mail says so."""
    await door.limits.spend(f"password:{who.user_id}", per_minute=PASSWORD_CHANGES)
    async with desk.look() as session:
        row, _ = await accounts.own(session, who, now=desk.now())
    if not await door.passwords.fits(body.old_password, row.password_hash):
        raise WrongPassword
    if body.new_password == body.old_password:
        raise Unprocessable("same_password", "That is the old password.", next_step="Choose another one.")
    new_hash = await door.passwords.hashed(body.new_password)
    async with desk.open() as work:
        await accounts.set_password(work, who=who, ip=caller.ip, verified_hash=row.password_hash, new_hash=new_hash)


@routes.patch("/users/{user_id}/status")
async def set_status(user_id: PathId, body: SetStatus, who: Who, desk: AtDesk) -> StatusAnswer:
    """Suspend an account, let it be used again, or delete it, as an admin."""
    who.require_admin()
    async with desk.open() as work:
        account = await accounts.set_status(
            work, user_id=user_id, to=UserStatus[body.status], who=who, reason=body.reason
        )
    return status_answer(account)


def _token(claims: Claims, signer: Signer, response: Response) -> TokenAnswer:
    response.headers["Cache-Control"] = "no-store"
    return TokenAnswer(token=signer.sign(claims), expires_at=claims.ends, user_id=claims.user_id)
