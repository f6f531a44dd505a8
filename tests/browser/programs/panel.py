"""What the run page's panel is looked at with: values of every type, many lines, retries, and words made to do harm."""

import enum
import os
import struct
import time
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import pandas as pd
from flytekit import Deck, Resources, current_context, task, workflow
from flytekit.exceptions.user import FlyteRecoverableException
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile

HARM = "<script>top.harmed = 1</script><img src=x onerror='top.harmed = 1'><a href='javascript:top.harmed = 1'>go</a>"


class Season(enum.Enum):
    WARM = "warm"
    COLD = "cold"


@dataclass
class Fit:
    depth: int = 6
    rate: float = 0.25
    features: list[str] = field(default_factory=lambda: ["price", "weekday"])


def chart() -> bytes:
    """Return a picture: a gradient, as PNG."""
    rows = b"".join(b"\0" + bytes(v for x in range(240) for v in (x, 160 - y, 255 - x)) for y in range(120))

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 240, 120, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


@task(requests=Resources(cpu="200m", mem="200Mi"), environment={"MODE": "fast"}, timeout=timedelta(minutes=5))
def every_type(
    number: int,
    ratio: float,
    said: str,
    sure: bool,
    season: Season,
    at: datetime,
    window: timedelta,
    maybe: int | None,
    either: int | str,
    fit: Fit,
) -> tuple[pd.DataFrame, FlyteFile, FlyteFile, FlyteDirectory, dict[str, float], list[str], Fit]:
    """Give a value of every type."""
    folder = current_context().working_directory
    for name, content in (("chart.png", chart()), ("notes.txt", b"first line\nsecond line\n")):
        with open(os.path.join(folder, name), "wb") as written:
            written.write(content)
    parts = os.path.join(folder, "parts")
    os.makedirs(parts)
    for part in range(3):
        with open(os.path.join(parts, f"part-{part}.txt"), "w") as one:
            one.write(f"part {part}\n")
    sales = pd.DataFrame({"day": pd.date_range("2026-01-01", periods=40), "sold": range(40), "note": ["<b>ä</b>"] * 40})
    files = FlyteFile(os.path.join(folder, "chart.png")), FlyteFile(os.path.join(folder, "notes.txt"))
    return sales, *files, FlyteDirectory(parts), {"north": 1.5, "south": 2.0}, ["a", "b"], fit


@workflow
def values(
    number: int = 7,
    ratio: float = 0.5,
    said: str = "two\nlines",
    sure: bool = True,
    season: Season = Season.COLD,
    at: datetime = datetime(2026, 3, 14, 9, 26, tzinfo=timezone.utc),
    window: timedelta = timedelta(hours=2, minutes=5),
    maybe: int | None = None,
    either: int | str = "text",
    fit: Fit = Fit(),  # noqa: B008  flytekit copies it
) -> pd.DataFrame:
    """Have a default of every type."""
    sales, *_ = every_type(
        number=number,
        ratio=ratio,
        said=said,
        sure=sure,
        season=season,
        at=at,
        window=window,
        maybe=maybe,
        either=either,
        fit=fit,
    )
    return sales


@task(enable_deck=True)
def attack(text: str) -> tuple[dict[str, str], FlyteFile, str]:
    """Write HTML wherever a task can write something."""
    print(HARM, flush=True)
    print(f"2026-01-01 00:00:00,000 - {HARM} - ERROR - {HARM}", flush=True)
    Deck("Harm", f"<h1>Deck of harm</h1>{HARM}<script>document.title = 'ran'; parent.harmed = 1</script>")
    path = os.path.join(current_context().working_directory, "harm.html")
    with open(path, "w") as written:
        written.write(HARM)
    return {HARM: "javascript:top.harmed = 1"}, FlyteFile(path), HARM


@task
def keep(file: FlyteFile) -> str:
    """Leave a file where it is."""
    return "kept"


@task
def collapse(text: str) -> str:
    """Fail with HTML."""
    if text:
        raise ValueError(f"{HARM} {text}")
    return text


@task(retries=3)
def stumble(counted: str) -> int:
    """Succeed at the third attempt; attempts are counted in a file."""
    with open(counted, "a") as file:
        file.write("x")
    tried = os.path.getsize(counted)
    print(f"trying for the {tried}. time", flush=True)
    if tried < 3:
        raise FlyteRecoverableException(f"the table is locked, {tried}")
    return tried


@task
def chatter(lines: int) -> int:
    """Write so many lines."""
    for number in range(lines):
        level = "ERROR" if number % 1000 == 999 else "INFO"
        second, milliseconds = divmod(number, 1000)
        print(f"2026-01-01 00:{second // 60:02}:{second % 60:02},{milliseconds:03} - app - {level} - line {number}")
    return lines


@task
def repeat(feed: str) -> int:
    """Write what is written into a file, until that is `end`."""
    told = 0
    while True:
        with open(feed) as file:
            lines = file.read().splitlines()
        for line in lines[told:]:
            if line == "end":
                return told
            print(line, flush=True)
        told = len(lines)
        time.sleep(0.05)
