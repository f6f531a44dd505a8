"""Command lines as flytekit writes them."""

from __future__ import annotations

import pytest

from dayfly.model import entrypoint_args

OPTIONS = ("--inputs", "i.pb", "--output-prefix", "out", "--raw-output-data-prefix", "raw")
RESOLVER = ("--resolver", "flytekit.core.python_auto_container.default_task_resolver")
LOADER = ("task-module", "pkg.mod", "task-name", "t1")
PLAIN = ("pyflyte-execute", *OPTIONS, *RESOLVER, "--", *LOADER)


def test_a_fast_command_is_taken_apart_and_completed():
    argv = ("pyflyte-fast-execute", "--additional-distribution", "s3://b/fast1.tar.gz", "--dest-dir", ".", "--", *PLAIN)
    entry = entrypoint_args.parse(argv)
    assert (entry.kind, entry.distribution, entry.dest_dir) == ("fast", "s3://b/fast1.tar.gz", ".")
    assert entry.user_modules == ("pkg.mod",)
    told = ("--dynamic-addl-distro", "s3://b/fast1.tar.gz", "--dynamic-dest-dir", ".")
    assert entry.inner == ("pyflyte-execute", *OPTIONS, *told, *RESOLVER, "--", *LOADER)
    assert entry.inner_kind == "plain"


def test_equals_signs_and_missing_parts_are_understood():
    entry = entrypoint_args.parse(("/usr/bin/pyflyte-fast-execute", "--additional-distribution=d.tar.gz", *PLAIN))
    assert (entry.kind, entry.distribution, entry.dest_dir, entry.inner_kind) == ("fast", "d.tar.gz", ".", "plain")


def test_a_fast_command_without_code_stays_as_it_is():
    entry = entrypoint_args.parse(("pyflyte-fast-execute", "--", *PLAIN))
    assert (entry.distribution, entry.inner) == ("", PLAIN)


def test_a_map_task_names_the_module_behind_its_resolver():
    loader = ("vars", "", "resolver", RESOLVER[1], *LOADER)
    argv = ("pyflyte-map-execute", *OPTIONS, "--resolver", "flytekit.core.array_node_map_task.ArrayNodeMapTaskResolver")
    entry = entrypoint_args.parse((*argv, "--", *loader))
    assert (entry.kind, entry.user_modules) == ("map", ("pkg.mod",))


def test_a_resolver_of_the_users_own_is_a_user_module():
    entry = entrypoint_args.parse(("pyflyte-execute", *OPTIONS, "--resolver", "mine.resolving.here", "--", "x", "y"))
    assert entry.user_modules == ("mine.resolving",)


@pytest.mark.parametrize("argv", [(), ("python", "-c", "1"), ("bash", "-c", "pyflyte-execute task-module x")])
def test_any_other_command_is_left_alone(argv: tuple[str, ...]):
    assert entrypoint_args.parse(argv) == entrypoint_args.EntryPoint("other", inner=argv)


@pytest.mark.parametrize(
    "tail", [(), ("--dest-dir",), ("--",), ("--", "pyflyte-execute"), ("--", "pyflyte-execute", "task-module")]
)
def test_cut_off_commands_do_not_raise(tail: tuple[str, ...]):
    assert entrypoint_args.parse(("pyflyte-fast-execute", *tail)).user_modules == ()
