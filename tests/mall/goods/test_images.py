"""Pictures of goods: what is one, who sees it, and that none stays behind; on both databases."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mall.goods.handlers import goods_handlers
from mall.goods.image_kinds import JPEG, PNG, WEBP, ImageKind, kind_of
from mall.goods.images_api import LARGEST_IMAGE, MOST_IMAGES
from mall.goods.orphans import orphan_sweep
from mall.work import Work
from mall_events.goods import GoodsStatus, GoodsUpdated
from mall_events.user import UserDeleted
from tests.mall.counter import Counter
from tests.mall.goods.test_api import ADMIN, BUYER, SELLER, draft, on_sale

PICTURE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00" * 40


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "images").glob("*"))


async def add(shelf: Counter, path: str, content: bytes = PICTURE, user: int = SELLER, **rest: Any) -> Any:
    return await shelf.call("POST", f"{path}/images", user=user, content=content, **rest)


def riff(length: int) -> bytes:
    return b"RIFF" + length.to_bytes(4, "little") + b"WEBPVP8 " + b"\x00" * 8


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PICTURE, PNG),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", JPEG),
        (riff(16), WEBP),
        (riff(1_000), None),
        (b"", None),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"GIF89a", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", None),
        (b"<html><body>", None),
        (b"%PDF-1.7", None),
        (b" " + PICTURE, None),
    ],
)
def test_a_picture_is_known_by_its_content(content: bytes, kind: ImageKind | None) -> None:
    assert kind_of(content) is kind


async def test_a_picture_is_told_shown_and_runs_nothing(shelf: Counter, tmp_path: Path) -> None:
    path = await on_sale(shelf)
    answer = await add(shelf, path)
    assert answer.status_code == 201, answer.text
    (url,) = answer.json()["image_urls"]
    updated = shelf.told.of(GoodsUpdated)[-1]
    assert (updated.image_urls, updated.changed, updated.goods_version) == ([url], ["image_urls"], 4)
    shown = await shelf.call("GET", url)
    assert (shown.content, shown.headers["Content-Type"]) == (PICTURE, "image/png")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert (await shelf.call("GET", path)).json()["image_urls"] == [url]
    assert (await shelf.call("GET", "/api/v1/goods")).json()["goods"][0]["image_urls"] == [url]
    assert files(tmp_path) == [url.rpartition("/")[2]]


async def test_a_later_edit_tells_the_pictures_too(shelf: Counter) -> None:
    path = await draft(shelf)
    (url,) = (await add(shelf, path)).json()["image_urls"]
    await shelf.call("POST", f"{path}/submit", user=SELLER)
    assert shelf.told.of(GoodsUpdated)[-1].image_urls == [url]


async def test_pictures_of_drafts_are_for_their_seller_and_admins(shelf: Counter) -> None:
    path = await draft(shelf)
    (url,) = (await add(shelf, path)).json()["image_urls"]
    assert (await shelf.call("GET", url)).status_code == 404
    assert (await shelf.call("GET", url, user=BUYER)).status_code == 404
    assert (await shelf.call("GET", url, user=SELLER)).status_code == 200
    assert (await shelf.call("GET", url, user=ADMIN, admin=True)).status_code == 200


async def test_only_the_seller_adds_and_what_is_refused_leaves_no_file(shelf: Counter, tmp_path: Path) -> None:
    path = await on_sale(shelf)
    assert (await add(shelf, path, user=BUYER)).status_code == 403
    assert (await shelf.call("POST", f"{path}/images", content=PICTURE)).status_code == 401
    assert (await add(shelf, "/api/v1/goods/999")).status_code == 404
    refused = await add(shelf, path, b"<svg/>")
    assert (refused.status_code, refused.json()["error"]) == (422, "not_a_picture")
    assert (await add(shelf, path, PICTURE.ljust(LARGEST_IMAGE + 1))).status_code == 413
    assert files(tmp_path) == []


async def test_goods_have_five_pictures_of_two_megabytes_at_most(shelf: Counter, tmp_path: Path) -> None:
    path = await draft(shelf)
    for _ in range(MOST_IMAGES):
        assert (await add(shelf, path, PICTURE.ljust(LARGEST_IMAGE))).status_code == 201
    sixth = await add(shelf, path)
    assert (sixth.status_code, sixth.json()["error"]) == (409, "too_many_images")
    assert len(files(tmp_path)) == MOST_IMAGES


async def test_a_picture_sent_again_is_one_picture_and_one_file(shelf: Counter, tmp_path: Path) -> None:
    path = await draft(shelf)
    answers = [await add(shelf, path, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    other = await add(shelf, path, PICTURE + b"x", headers={"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["error"]) == (409, "idempotency_conflict")
    assert files(tmp_path) == [url.rpartition("/")[2] for url in answers[0].json()["image_urls"]]


async def test_a_picture_stays_where_the_answer_to_the_commit_was_lost(shelf: Counter, tmp_path: Path) -> None:
    path = await draft(shelf)

    @asynccontextmanager
    async def losing() -> AsyncIterator[Work]:
        async with shelf.desk.open() as work:
            yield work
        raise ConnectionResetError

    shelf.app.state.desk = SimpleNamespace(open=losing)
    with pytest.raises(ConnectionResetError):
        await add(shelf, path, headers={"Idempotency-Key": "k"})
    shelf.app.state.desk = shelf.desk
    again = await add(shelf, path, headers={"Idempotency-Key": "k"})
    (url,) = again.json()["image_urls"]
    assert (await shelf.call("GET", url, user=SELLER)).content == PICTURE
    assert files(tmp_path) == [url.rpartition("/")[2]]


async def test_a_picture_is_removed_with_its_file(shelf: Counter, tmp_path: Path) -> None:
    path = await on_sale(shelf)
    (url,) = (await add(shelf, path)).json()["image_urls"]
    assert (await shelf.call("DELETE", url, user=BUYER)).status_code == 403
    assert (await shelf.call("DELETE", url, user=SELLER)).json()["image_urls"] == []
    assert (await shelf.call("DELETE", url, user=SELLER)).status_code == 404
    assert (await shelf.call("GET", url)).status_code == 404
    assert files(tmp_path) == []


async def test_old_files_that_no_row_names_are_swept_away(shelf: Counter, tmp_path: Path) -> None:
    (url,) = (await add(shelf, await draft(shelf))).json()["image_urls"]
    named = url.rpartition("/")[2]
    left = [f"{number:032x}.png{end}" for number, end in enumerate(["", ".part", "", ".part"])]
    foreign = ["README.png", f"{'0' * 32}.gif"]
    for name in (*left, *foreign):
        (tmp_path / "images" / name).write_bytes(PICTURE)
    now = shelf.desk.now().timestamp()
    for minutes, names in ((61, [named, *left[:2], *foreign]), (59, left[2:])):
        for name in names:
            os.utime(tmp_path / "images" / name, (now - minutes * 60,) * 2)
    sweep = orphan_sweep(shelf.app.state.image_files)
    assert [await sweep(shelf.desk) for _ in range(2)] == [2, 0]
    assert files(tmp_path) == sorted([named, *left[2:], *foreign])


async def test_before_the_first_picture_nothing_is_swept_away(shelf: Counter) -> None:
    assert await orphan_sweep(shelf.app.state.image_files)(shelf.desk) == 0


@pytest.mark.parametrize("name", ["x.png", "..%2f..%2fetc%2fpasswd", f"{'0' * 32}.exe", f"{'0' * 32}.png%00"])
async def test_a_name_that_is_none_of_ours_leads_nowhere(shelf: Counter, name: str) -> None:
    path = await on_sale(shelf)
    assert (await shelf.call("GET", f"{path}/images/{name}")).status_code in {404, 422}


async def test_the_goods_of_a_deleted_user_leave_the_shelf_and_no_picture_stays(shelf: Counter, tmp_path: Path) -> None:
    sold, drafted = await on_sale(shelf), await draft(shelf)
    judged = await draft(shelf)
    await shelf.call("POST", f"{judged}/submit", user=SELLER)
    for path in (sold, drafted):
        await add(shelf, path)
    shelf.told.events.clear()
    gone = UserDeleted(user_id=SELLER, user_version=2, email="s@example.com", event_time=shelf.desk.now())
    for _ in range(2):
        await shelf.handle(goods_handlers(shelf.app.state.image_files), gone)
    told = {f"/api/v1/goods/{event.goods_id}": event for event in shelf.told.of(GoodsUpdated)}
    assert {path: event.status for path, event in told.items()} == {
        sold: GoodsStatus.OFF_SHELF,
        drafted: GoodsStatus.DRAFT,
        judged: GoodsStatus.REJECTED,
    }
    assert all(event.image_urls == [] for event in told.values())
    assert len(shelf.told.of(GoodsUpdated)) == 3
    assert files(tmp_path) == []
    assert (await shelf.call("GET", drafted)).status_code == 404
