"""Pictures of goods over HTTP."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from mall.errors import NotFound, Refusal, Unprocessable
from mall.goods import changing, store
from mall.goods.answers import GoodsAnswer, goods_answer
from mall.goods.domain import repicture
from mall.goods.image_files import ImageFiles
from mall.goods.image_kinds import KINDS, kind_of
from mall.goods.tables import idempotency_keys
from mall.idempotency import Attempt
from mall.identity import Identity
from mall.web import AtDesk, IdempotencyKey, MaybeWho, PathId, Who
from mall.work import Work

routes = APIRouter(prefix="/api/v1")
MOST_IMAGES, LARGEST_IMAGE = 5, 2_000_000
LARGER_BODIES = {"/images": LARGEST_IMAGE}
"""Ends of addresses, and how large a body may be there."""


def _files(request: Request) -> ImageFiles:
    files: ImageFiles = request.app.state.image_files
    return files


Files = Annotated[ImageFiles, Depends(_files)]
Name = Annotated[str, Path(pattern=r"^[0-9a-f]{32}\.(png|jpg|webp)$")]


class Picture(BaseModel):
    """What tells one picture from another."""

    sha256: str


@routes.post("/goods/{goods_id}/images", status_code=201, response_model=GoodsAnswer)
async def add_image(
    *,
    goods_id: PathId,
    who: Who,
    desk: AtDesk,
    files: Files,
    request: Request,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Add a picture, the body itself: PNG, JPEG or WebP, up to 2 MB, five a kind of goods."""
    content = await request.body()
    kind = kind_of(content)
    if kind is None:
        raise Unprocessable("not_a_picture", "The body is no PNG, JPEG or WebP.", next_step="Send the file itself.")
    name = f"{request.app.state.new_uuid().hex}.{kind.suffix}"
    picture = Picture(sha256=hashlib.sha256(content).hexdigest())
    attempt = Attempt(key=idempotency_key, user_id=who.user_id, operation=f"add_image:{goods_id}", body=picture)
    await files.write(name, content)
    is_named = False
    try:
        async with desk.open() as work:

            async def once() -> GoodsAnswer:
                return await _add(work, goods_id, who, name=name, size_bytes=len(content))

            answer = await idempotency_keys.once(work.session, attempt, now=work.now, work=once)
            # Before the commit, whose outcome an error does not tell: a file too many is the lesser harm, and is swept away.
            is_named = name in str(answer["image_urls"])  # else it is the answer to an earlier request
    finally:
        # The file came first, so that no row ever names a file that is not there; without its row it goes again.
        if not is_named:
            await files.remove([name])
    return JSONResponse(answer, status_code=201)


async def _add(work: Work, goods_id: int, who: Identity, *, name: str, size_bytes: int) -> GoodsAnswer:
    row = await changing.own_goods(work.session, goods_id, who)
    names = await store.images_of(work.session, goods_id)
    if len(names) >= MOST_IMAGES:
        raise Refusal("too_many_images", "Goods have five pictures at most.", next_step="Remove one first.")
    await store.add_image(work.session, goods_id, name=name, size_bytes=size_bytes, now=work.now)
    await changing.take(work, row, repicture(row.value()), operator=who.operator)
    return goods_answer(row, [*names, name])


@routes.get("/goods/{goods_id}/images/{name}", response_class=Response)
async def image(goods_id: PathId, name: Name, who: MaybeWho, desk: AtDesk, files: Files) -> Response:
    """A picture, for everybody who may see the goods."""
    async with desk.look() as session:
        row = await store.find_goods(session, goods_id)
        if row is None or not changing.may_see(row, who) or name not in await store.images_of(session, goods_id):
            raise NotFound
    content = await files.read(name)
    if content is None:
        raise NotFound
    headers = {
        # Whatever else the bytes may be to somebody: here they are a picture, which runs nothing.
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=86400",
    }
    return Response(content, media_type=KINDS[name.rpartition(".")[2]].media_type, headers=headers)


@routes.delete("/goods/{goods_id}/images/{name}")
async def remove_image(goods_id: PathId, name: Name, who: Who, desk: AtDesk, files: Files) -> GoodsAnswer:
    """Remove a picture of one's own goods."""
    async with desk.open() as work:
        row = await changing.own_goods(work.session, goods_id, who)
        if not await store.remove_image(work.session, goods_id, name=name):
            raise NotFound
        await changing.take(work, row, repicture(row.value()), operator=who.operator)
        answer = goods_answer(row, await store.images_of(work.session, goods_id))
    await files.remove([name])
    return answer
