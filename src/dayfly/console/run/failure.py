"""An error as the platform words it, taken apart: the sentence, what to do, the traceback, where it was. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

TRACEBACK = "Traceback (most recent call last)"

MAX_SENTENCE = 1200
"""Characters; a longer first paragraph goes on in the details."""

_ATTEMPTS = re.compile(r"^\[\d+/\d+\] currentAttempt done\. Last Error: (?:USER|SYSTEM|UNKNOWN)::")


class Failure(NamedTuple):
    """Why something failed."""

    sentence: str
    remedy: str
    where: str
    """`budget > n0 (divide)`; empty where it is not said."""
    details: str
    """All the rest, the traceback above all."""


def read(message: str, code: str = "") -> Failure:
    """Return an error's parts; what cannot be told apart is in `details`."""
    sentence, *paragraphs = _ATTEMPTS.sub("", message.strip()).split("\n\n")
    remedy, where, rest = "", "", []
    for paragraph in paragraphs:
        kept = []
        for line in paragraph.split("\n"):
            name, colon, told = line.partition(": ")
            if colon and name == "What to do" and not remedy:
                remedy = told
            elif colon and name == "Failed at" and not where:
                where = told
            elif not (colon and name == "Its log"):  # The page has a tab for it.
                kept.append(line)
        rest += ["\n".join(kept)] if any(kept) else []
    if TRACEBACK in sentence:
        sentence, rest = _last_line(sentence), [sentence, *rest]
    elif len(sentence) > MAX_SENTENCE:
        sentence, rest = f"{sentence[:MAX_SENTENCE]}…", [sentence, *rest]
    if not remedy and "Dask" in code:  # The platform's own words: the cause, then what to do about it.
        sentence, remedy = _apart(sentence)
    return Failure(sentence.strip(), remedy.strip(), where.strip(), "\n\n".join(rest))


def _apart(sentence: str) -> tuple[str, str]:
    found = re.search(r"\. (?=[A-Z])", sentence)
    return (sentence[: found.start() + 1], sentence[found.end() :]) if found else (sentence, "")


def _last_line(traceback: str) -> str:
    lines = [line for line in traceback.split("\n") if line.strip() and not line[0].isspace()]
    return lines[-1][:MAX_SENTENCE] if lines else traceback[:MAX_SENTENCE]
