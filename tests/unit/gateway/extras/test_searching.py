"""A search in one log: numbers, surroundings, ranges."""

from __future__ import annotations

import pytest
from tests.fakes.attempt_logs import MemoryLogs

from dayfly.gateway.extras import searching
from dayfly.gateway.extras.searching import Place, Result
from dayfly.model.identifiers import AttemptKey

KEY = AttemptKey("p/d/e/n0/0")
FIRST = Place()


async def search(text: bytes, wanted: str, place: Place = FIRST, *, limit: int = 100, context: int = 0) -> Result:
    logs = MemoryLogs()
    logs.write(KEY, "driver", text)
    return await searching.search(logs, KEY, "driver", wanted, place, limit=limit, context=context)


async def test_numbers_offsets_and_surroundings() -> None:
    result = await search(b"a\nb\nX fox\nc\nthe fox x\nd", "x", context=2)
    assert [(one.line, one.offset, one.text) for one in result.found] == [(3, 4, "X fox"), (5, 12, "the fox x")]
    assert [(one.before, one.after) for one in result.found] == [
        (["a", "b"], ["c", "the fox x"]),
        (["X fox", "c"], ["d"]),
    ]
    assert result.at_end and result.then == Place(23, 6)


async def test_page_by_page() -> None:
    text = b"".join(b"%d fox\nnothing\n" % number for number in range(7))
    place, numbers = Place(), []
    while True:
        result = await search(text, "FOX", place, limit=2)
        numbers += [one.line for one in result.found]
        place = result.then
        if result.at_end:
            break
    assert numbers == [1, 3, 5, 7, 9, 11, 13]


@pytest.mark.parametrize("around", [-3, 0, 1])
async def test_across_the_border_of_two_ranges(around: int) -> None:
    line = b"y" * 63 + b"\n"
    before = line * (searching.RANGE_BYTES // 64) + b"z" * 5
    text = before[: searching.RANGE_BYTES + around] + b"needle\nlast needle\n"
    result = await search(text, "needle")
    assert [one.text[-6:] for one in result.found] == ["needle", "needle"]
    assert result.found[1].offset == text.index(b"last needle")
    assert result.found[1].line == text.count(b"\n")


async def test_a_large_log_is_searched_in_parts() -> None:
    text = (b"y" * 1023 + b"\n") * (searching.MAX_SCANNED_BYTES // 1024 + 10) + b"needle\n"
    first = await search(text, "needle")
    assert first.found == [] and not first.at_end
    assert first.scanned_bytes <= searching.MAX_SCANNED_BYTES + searching.RANGE_BYTES
    second = await search(text, "needle", first.then)
    assert [(one.line, one.offset) for one in second.found] == [
        (searching.MAX_SCANNED_BYTES // 1024 + 11, len(text) - 7)
    ]
    assert second.at_end


async def test_one_endless_line() -> None:
    text = b"y" * (searching.RANGE_BYTES - 3) + b"needle" + b"y" * searching.RANGE_BYTES
    (found,) = (await search(text, "needle", context=1)).found
    assert "needle" in found.text and len(found.text) <= searching.MAX_TEXT
    assert found.line == 1


async def test_what_a_progress_bar_has_overwritten_is_found() -> None:
    (found,) = (await search(b"10% epoch one\r20% epoch two\n", "one")).found
    assert "one" in found.text
    (found,) = (await search(b"10% epoch one\r20% epoch two\n", "two")).found
    assert found.text == "20% epoch two"


async def test_nothing_in_an_empty_log() -> None:
    assert (await search(b"", "x")).at_end
