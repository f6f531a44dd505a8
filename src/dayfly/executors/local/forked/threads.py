"""How many threads the libraries of a role start: no more than it may use of cores, where it says how many these are.

Called by `role`. A library that sees all the host's cores starts a thread for each, and a handful of tasks then have
many more threads than there are cores, which slow each other down.
"""

from __future__ import annotations

import math

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
    "GOMAXPROCS",
    "PYTHON_CPU_COUNT",
)
"""What numeric libraries, dataframes, joblib, Go programs and Python (from 3.13) itself read; pyarrow and scikit-learn
go by the first."""


def variables(cpu_limit: float, cores: int) -> dict[str, str]:
    """Return the variables for a role that may use so many cores of the host's; none where that is all of them."""
    threads = max(1, math.ceil(cpu_limit))
    if not cpu_limit or threads >= cores:
        return {}
    return dict.fromkeys(VARIABLES, str(threads))
