"""Beginnings of stored files: what kind they are, how they begin, and that nothing of them is believed."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import httpx
import pyarrow
import pyarrow.parquet
import pytest
from tests.fakes.http_api import World

import dayfly.blobs
from dayfly.base import errors
from dayfly.gateway.extras import previewing, previews

ROOT = "memory://store"


def parquet(rows: int) -> bytes:
    written = io.BytesIO()
    numbers = list(range(rows))
    table = pyarrow.table({"day": numbers, "told": [f"<b>{one}</b>" for one in numbers], "long": ["x" * 900] * rows})
    pyarrow.parquet.write_table(table, written)
    return written.getvalue()


async def ask(http: httpx.AsyncClient, uri: str, **query: Any) -> Any:
    answer = await http.get("/previews", params={"uri": uri, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_parquet_is_told_by_its_first_rows(world: World, http: httpx.AsyncClient) -> None:
    await world.blobs.put(f"{ROOT}/sales", parquet(500))
    told = await ask(http, f"{ROOT}/sales", rows=3)
    assert told["kind"] == "table" and told["total_rows"] == 500
    assert [(one["name"], one["type"]) for one in told["columns"]][:2] == [("day", "int64"), ("told", "string")]
    assert [row[:2] for row in told["rows"]] == [["0", "<b>0</b>"], ["1", "<b>1</b>"], ["2", "<b>2</b>"]]
    assert len(told["rows"][0][2]) == previewing.MAX_CELL


async def test_a_dataset_is_told_by_its_first_part(world: World, http: httpx.AsyncClient) -> None:
    await world.blobs.put(f"{ROOT}/set/00000", parquet(5))
    await world.blobs.put(f"{ROOT}/set/00001", parquet(5))
    told = await ask(http, f"{ROOT}/set")
    assert (told["kind"], told["total_files"], told["total_rows"], len(told["rows"])) == ("table", 2, None, 5)
    assert [one["uri"] for one in told["files"]] == [f"{ROOT}/set/00000", f"{ROOT}/set/00001"]


async def test_columns_of_one_name_and_values_out_of_range(world: World, http: httpx.AsyncClient) -> None:
    days = pyarrow.array([0, 10**7], pyarrow.int32()).cast(pyarrow.date32())
    texts, numbers = pyarrow.array(["a", "b"]), pyarrow.array([1, 2])
    written = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table([texts, days, numbers], names=["one", "day", "one"]), written)
    await world.blobs.put(f"{ROOT}/odd", written.getvalue())
    told = await ask(http, f"{ROOT}/odd")
    rows = sorted(zip([(one["name"], one["type"]) for one in told["columns"]], *told["rows"], strict=True))
    assert rows == [
        (("day", "date32[day]"), "1970-01-01", "?"),
        (("one", "int64"), "1", "2"),
        (("one", "string"), "a", "b"),
    ]


async def test_what_is_no_file_of_a_folder_is_left_out(tmp_path: Path) -> None:
    blobs = dayfly.blobs.open(f"file://{tmp_path}/store")
    folder = tmp_path / "store" / "folder"
    folder.mkdir()
    os.mkfifo(folder / "a.csv")
    (tmp_path / "secret.csv").write_text("secret")
    (folder / "b.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(errors.NotFound):
        await previews.Reader(blobs).read(f"{blobs.root}/folder", 5)
    (folder / "c.csv").write_text("name\nx\n")
    told = await previews.Reader(blobs).read(f"{blobs.root}/folder", 5)
    assert (told.kind, told.rows, told.total_files) == ("table", [["x"]], 1)
    assert [one.uri for one in told.files] == [f"{blobs.root}/folder/c.csv"]


async def test_parquet_that_lies_is_said_to_be_unreadable(world: World, http: httpx.AsyncClient) -> None:
    whole = parquet(50)
    await world.blobs.put(f"{ROOT}/cut", whole[:200])
    await world.blobs.put(f"{ROOT}/turned", whole[:60] + bytes(reversed(whole[60:-8])) + whole[-8:])
    for name in ("cut", "turned"):
        told = await ask(http, f"{ROOT}/{name}")
        assert (told["kind"], told["rows"], told["told"]) == ("table", [], previewing.UNREADABLE)


async def test_csv_text_pictures_folders_and_other_bytes(world: World, http: httpx.AsyncClient) -> None:
    await world.blobs.put(f"{ROOT}/a.csv", b'name,told\n"a,b",<i>\nc,d\n')
    await world.blobs.put(f"{ROOT}/b.html", b"<script>1</script>" + "ä".encode() * 90_000)
    await world.blobs.put(f"{ROOT}/c.txt", b"\x89PNG\r\n\x1a\nrest")
    await world.blobs.put(f"{ROOT}/d/model.pkl", b"\x80\x04\0\0")
    table = await ask(http, f"{ROOT}/a.csv")
    assert (table["kind"], table["rows"], table["total_rows"]) == ("table", [["a,b", "<i>"], ["c", "d"]], 2)
    text = await ask(http, f"{ROOT}/b.html")
    assert (text["kind"], text["media_type"], text["cut"]) == ("text", "text/html", True)
    assert len(text["text"]) == previewing.TEXT_CHARACTERS
    assert (await ask(http, f"{ROOT}/c.txt"))["kind"] == "image"
    folder = await ask(http, f"{ROOT}/d")
    assert (folder["kind"], folder["total_files"], folder["files"][0]["size_bytes"]) == ("folder", 1, 4)
    assert (await ask(http, f"{ROOT}/d/model.pkl"))["kind"] == "binary"


async def test_what_is_not_there_or_not_ours_is_refused(http: httpx.AsyncClient) -> None:
    assert (await http.get("/previews", params={"uri": f"{ROOT}/none"})).status_code == 404
    for outside in ("javascript:alert(1)", "file:///etc/passwd", f"{ROOT}/../secret", "http://169.254.169.254/"):
        assert (await http.get("/previews", params={"uri": outside})).status_code == 400


def test_a_character_that_is_cut_in_two_does_not_make_a_text_binary() -> None:
    head = ("ä" * previewing.HEAD_BYTES).encode()[: previewing.HEAD_BYTES - 1]
    assert previewing.look("x.txt", head, 10**6, 5).kind == "text"
    assert previewing.look("x.txt", head, len(head), 5).kind == "binary"
