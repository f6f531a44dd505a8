"""What the rehearsal of a task leaves in a fork server: nothing but knowledge. Each case has its own interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import faulthandler, gc, os, signal, sys, tempfile
import {entrypoint}
from dayfly.executors.local.forked import fitness, preloading, rehearsing
for name in preloading.LAZY if 'flytekit' in sys.modules else ():
    __import__(name)

os.environ["FLYTE_INTERNAL_EXECUTION_ID"] = "none"
tempfile.tempdir = sys.argv[1]
def facts():
    gc.collect()
    return sys.argv, sys.path, os.getcwd(), tempfile.tempdir, os.environ.copy(), os.listdir(sys.argv[1])
before = facts()
with fitness.Watch() as watch:
    {run}
    preloading._end_flytekit_loops()
assert facts() == before, facts()
fitness._NotingEnviron.asked = set()  # it asks for what attempts alone have, and keeps no answer
gc.collect()
assert watch.objection() == "", watch.objection()
assert not faulthandler.unregister(signal.SIGUSR1)
{then}
"""

HAS_RUN = """
from flytekit.configuration import file
from flytekit.core import context_manager
assert file.get_config_file.cache_info().currsize == 0
assert context_manager.FlyteEntities.entities == []
assert context_manager.FlyteContextManager.size() == 1
"""


def _run(tmp_path: Path, **words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-c", PROGRAM.format(**words), str(tmp_path)]
    return subprocess.run(argv, text=True, capture_output=True, cwd=tmp_path, check=False)


def test_a_rehearsal_leaves_nothing_behind(tmp_path: Path) -> None:
    seen = _run(tmp_path, entrypoint="flytekit.bin.entrypoint", run="rehearsing.rehearse()", then=HAS_RUN)

    assert seen.returncode == 0, seen.stderr
    assert "Traceback" not in seen.stderr


def test_the_task_is_really_run(tmp_path: Path) -> None:
    # It comes back to where it was when the task has ended, and its outputs are there.
    run = "go = os.chdir; os.chdir = lambda to: (print(os.path.isfile('output-prefix/outputs.pb')), go(to))\n    "
    seen = _run(tmp_path, entrypoint="flytekit.bin.entrypoint", run=run + "rehearsing.rehearse()", then="")

    assert seen.returncode == 0, seen.stderr
    assert seen.stdout.splitlines()[-1] == "True", seen.stdout


def test_without_flytekit_there_is_none(tmp_path: Path) -> None:
    then = "assert 'flytekit' not in sys.modules"
    seen = _run(tmp_path, entrypoint="json", run="rehearsing.rehearse()", then=then)

    assert seen.returncode == 0, seen.stderr
