"""Of an import in pages no more than a page is held."""

import pytest

from services.hierarchy.domain.errors import ImportsBusy
from services.hierarchy.domain.model import TenantId
from services.hierarchy.use_cases.imports import ImportRoom


async def test_rows_that_are_done_with_make_room_for_others() -> None:
    async with ImportRoom(max_rows=10) as room, room.enter(TenantId("neem")) as place:
        for _ in range(3):
            place.take(10)
            with pytest.raises(ImportsBusy):
                place.take(1)
            place.give_back(10)


async def test_what_was_not_given_back_is_when_the_import_ends() -> None:
    async with ImportRoom(max_rows=10) as room:
        async with room.enter(TenantId("neem")) as place:
            place.take(10)
            place.give_back(3)
            place.take(1)
        async with room.enter(TenantId("peepal")) as place:
            place.take(10)
