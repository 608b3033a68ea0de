"""The goods service behind its counter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from mall.goods import images_api
from mall.goods.api import routes
from mall.goods.image_files import ImageFiles
from mall.goods.tables import metadata
from tests.mall.counter import Clock, Counter, Tokens, opened


@pytest.fixture
async def shelf(database_url: str, clock: Clock, tokens: Tokens, image_files: ImageFiles) -> AsyncIterator[Counter]:
    """The goods service without Kafka."""
    async with opened(
        "goods",
        database_url,
        metadata=metadata,
        routers=[routes, images_api.routes],
        clock=clock,
        tokens=tokens,
        larger_bodies=images_api.LARGER_BODIES,
    ) as counter:
        counter.app.state.image_files, counter.app.state.new_uuid = image_files, uuid4
        yield counter


@pytest.fixture
def image_files(tmp_path: Path) -> ImageFiles:
    """The folder of pictures."""
    return ImageFiles(tmp_path / "images")
