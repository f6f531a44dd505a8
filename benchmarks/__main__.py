"""`make bench`: every benchmark in turn. Timings drift on shared machines: compare within one run only."""

import importlib
import os
import platform

PARTS = ("attempt_start", "cluster_start", "whole_platform", "engine_scale", "rates")


def main() -> None:
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}; medians throughout")
    for part in PARTS:
        importlib.import_module(f"benchmarks.{part}").main()


if __name__ == "__main__":
    main()
