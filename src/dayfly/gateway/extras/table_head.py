"""A program: Parquet on its standard input, first rows as JSON on its standard output. Run by `previews`.

A process of its own, with bounds on memory and time, for a file may say anything of itself.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
from typing import Any

MEMORY_BYTES = 3 * 1024 * 1024 * 1024
"""Of addresses, which libraries take more of than they use."""

CPU_SECONDS = 10


def main() -> None:
    """Read, and tell."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    json.dump(read(sys.stdin.buffer.read(), int(sys.argv[1])), sys.stdout)


def read(raw: bytes, rows: int) -> dict[str, Any]:
    """Return columns and first rows of a table, or what is wrong with it."""
    try:
        import pyarrow.parquet
    except ImportError:
        return {"problem": "no reader"}
    from dayfly.gateway.extras import previewing

    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(raw))
        schema, most = file.schema_arrow, previewing.MAX_COLUMNS
        names = list(dict.fromkeys(schema.names[:most]))  # Each stands for all columns of its name.
        batch = next(file.iter_batches(batch_size=rows, columns=names, use_threads=False), None)
    except (pyarrow.ArrowException, OSError, ValueError, MemoryError):
        return {"problem": "unreadable"}
    kinds = [(field.name, str(field.type)) for field in list(schema if batch is None else batch.schema)[:most]]
    columns = [] if batch is None else [[_cell(value) for value in column] for column in batch.columns[:most]]
    return {"columns": kinds, "rows": list(zip(*columns, strict=True)), "total_rows": file.metadata.num_rows}


def _cell(scalar: Any) -> str:
    """Return one value as text: `?` for what Python has no value for, as a date in the year 20000."""
    from dayfly.gateway.extras import previewing

    try:
        return previewing.cell(scalar.as_py())
    except Exception:  # noqa: BLE001  one value that cannot be told shall not take the others away
        return "?"


if __name__ == "__main__":
    main()
