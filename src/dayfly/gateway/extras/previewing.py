"""What a file is by its name and first bytes, and how its beginning is told. Pure."""

from __future__ import annotations

import csv
import io
import mimetypes
from typing import Any, Literal, TypedDict

import msgspec

from dayfly.gateway.extras import answers

HEAD_BYTES = 64 * 1024
"""Of a file, looked at."""

TEXT_CHARACTERS = 16 * 1024
"""Of a text, told."""

MAX_COLUMNS = 60
MAX_CELL = 200
"""Characters of one cell; longer ones are cut."""

PARQUET = b"PAR1"

PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)
"""By first bytes: a name may lie."""

DELIMITERS = {".csv": ",", ".tsv": "\t"}

UNREADABLE = "Its rows cannot be read: it is no Parquet that the reader knows, or too much of it at once."

NO_READER = "Its rows are shown where pyarrow is installed beside the platform: `pip install pyarrow`."


class Table(TypedDict, total=False):
    """Fields of a `Preview` that tell of a table."""

    columns: list[answers.PreviewColumn]
    rows: list[list[str]]
    total_rows: int | None
    told: str


def may_be_table(uri: str) -> bool:
    """Say whether the first file of a folder may be a part of a dataset; flytekit writes them with no ending."""
    name = uri.rpartition("/")[2]
    return "." not in name or name.endswith((".parquet", *DELIMITERS))


def look(uri: str, head: bytes, size: int, rows: int) -> answers.Preview:
    """Return what the file is, and its beginning; a table without columns is Parquet, which others read."""
    media = _picture(head)
    if media:
        return answers.Preview(uri, "image", media, size)
    if head.startswith(PARQUET):
        return answers.Preview(uri, "table", "application/vnd.apache.parquet", size)
    guessed = mimetypes.guess_type(uri)[0] or ""
    text = _text(head, whole=len(head) == size)
    if text is None:
        return answers.Preview(uri, "binary", guessed or "application/octet-stream", size)
    ending = uri[-4:].lower()
    if ending in DELIMITERS:
        table = _delimited(text, DELIMITERS[ending], rows, whole=len(head) == size)
        if table["columns"]:
            return answers.Preview(uri, "table", "text/csv", size, **table)
    cut = len(head) < size or len(text) > TEXT_CHARACTERS
    return answers.Preview(uri, "text", guessed or "text/plain", size, text=text[:TEXT_CHARACTERS], cut=cut)


def read_table(told: bytes) -> Table:
    """Return what `table_head` has said of a table."""
    try:
        read = msgspec.json.decode(told, type=_Told)
    except msgspec.DecodeError:
        return {"told": UNREADABLE}
    if read.problem:
        return {"told": NO_READER if read.problem == "no reader" else UNREADABLE}
    columns = [answers.PreviewColumn(*one) for one in read.columns]
    return {"columns": columns, "rows": read.rows, "total_rows": read.total_rows}


class _Told(msgspec.Struct):
    columns: list[tuple[str, str]] = []
    rows: list[list[str]] = []
    total_rows: int | None = None
    problem: Literal["", "no reader", "unreadable"] = ""


def cell(value: Any) -> str:
    """Return one value of a table as text."""
    text = "" if value is None else str(value)
    return text if len(text) <= MAX_CELL else f"{text[: MAX_CELL - 1]}…"


def _picture(head: bytes) -> str:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((media for first, media in PICTURES if head.startswith(first)), "")


def _text(head: bytes, *, whole: bool) -> str | None:
    """Return the bytes as text, None where they are none; a character cut in two at the end does not count."""
    if b"\0" in head:
        return None
    for kept in (len(head),) if whole else range(len(head), max(len(head) - 4, 0), -1):
        try:
            return head[:kept].decode()
        except UnicodeDecodeError:
            continue
    return None


def _delimited(text: str, delimiter: str, rows: int, *, whole: bool) -> Table:
    lines = text.splitlines() if whole else text.splitlines()[:-1]
    try:
        read = list(csv.reader(io.StringIO("\n".join(lines[: 4 * rows + 1])), delimiter=delimiter))[: rows + 1]
    except csv.Error:
        return {"columns": []}
    if not read:
        return {"columns": []}
    columns = [answers.PreviewColumn(cell(name), "") for name in read[0][:MAX_COLUMNS]]
    told = [[cell(value) for value in line[:MAX_COLUMNS]] for line in read[1:]]
    return {"columns": columns, "rows": told, "total_rows": max(len(lines) - 1, 0) if whole else None}
