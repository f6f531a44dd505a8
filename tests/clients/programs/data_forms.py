"""What tasks give each other in less usual forms, and outputs that are not what was declared."""

import os
import pathlib
from dataclasses import dataclass, field
from typing import Union

from flytekit import Deck, LaunchPlan, conditional, current_context, dynamic, map_task, task, workflow
from flytekit.core import utils
from flytekit.exceptions.user import FlyteRecoverableException
from flytekit.models.literals import Literal, LiteralMap, Primitive, Scalar
from flytekit.types.file import FlyteFile
from pydantic import BaseModel

OLD_FORMAT = {"FLYTE_USE_OLD_DC_FORMAT": "true"}
BY_REFERENCE = {"_F_L_MIN_SIZE_MB": "0", "_F_L_MAX_SIZE_MB": "100"}
"""With these flytekit writes every output to a file of its own, however small."""


@dataclass
class Size:
    width: int = 3
    tags: list[str] = field(default_factory=lambda: ["a", "b"])


@dataclass
class Thing:
    size: Size
    counts: dict[str, int]
    note: str | None = None


class Leaf(BaseModel):
    value: int


class Tree(BaseModel):
    leaves: list[Leaf]
    by_name: dict[str, Leaf]


# Parts of values


@task(environment=OLD_FORMAT)
def old_thing() -> Thing:
    return Thing(Size(), {"one": 1})


@task(environment=OLD_FORMAT)
def old_tree() -> Tree:
    return Tree(leaves=[Leaf(value=7)], by_name={"x": Leaf(value=9)})


@task(environment=OLD_FORMAT)
def old_dict() -> dict[str, list[Leaf]]:
    return {"deep": [Leaf(value=1), Leaf(value=2)]}


@task(environment=OLD_FORMAT)
def tell_old(tag: str, leaf: Leaf, other: Leaf, size: Size) -> str:
    return f"{tag} {leaf.value} {other.value} {size.width}"


@workflow
def old_parts() -> str:
    thing, tree, plain = old_thing(), old_tree(), old_dict()
    return tell_old(tag=thing.size.tags[1], leaf=tree.by_name["x"], other=plain["deep"][1], size=thing.size)


@workflow
def missing_part() -> str:
    return tell_old(tag=old_thing().size.tags[5], leaf=old_tree().leaves[0], other=Leaf(value=1), size=Size())


# Values that lie in files of their own


@task(environment=BY_REFERENCE)
def far_thing() -> Thing:
    return Thing(Size(width=5), {"one": 1})


@task(environment=BY_REFERENCE)
def far_numbers(n: int) -> list[int]:
    return list(range(n))


@task(environment=BY_REFERENCE)
def far_number(x: int) -> int:
    return x


@task
def double(x: int) -> int:
    return 2 * x


@task(environment=BY_REFERENCE)
def double_far(x: int) -> int:
    return 2 * x


@task
def add(x: int, y: int) -> int:
    return x + y


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def totals(xs: list[int]) -> int:
    return total(xs=xs)


launched_totals = LaunchPlan.get_or_create(totals, name="data_forms.launched_totals")


@workflow
def far_parts() -> int:
    thing, numbers = far_thing(), far_numbers(n=4)
    return add(x=thing.size.width, y=numbers[3])


@workflow
def far_branch(n: int) -> int:
    x = far_number(x=n)
    return conditional("size").if_(x > 3).then(double(x=x)).else_().then(add(x=x, y=100))


@workflow
def far_mapped(n: int) -> int:
    return total(xs=map_task(double_far)(x=far_numbers(n=n)))


@workflow
def far_launched(n: int) -> int:
    return launched_totals(xs=far_numbers(n=n))


@task(environment={"_F_L_MIN_SIZE_MB": "1", "_F_L_MAX_SIZE_MB": "100"})
def large(megabytes: int) -> str:
    return "x" * (megabytes * 2**20)


@task
def measure(text: str) -> int:
    return len(text)


@workflow
def large_by_reference(megabytes: int) -> int:
    return measure(text=large(megabytes=megabytes))


@task
def too_large(megabytes: int) -> str:
    return "x" * (megabytes * 2**20)


@workflow
def large_inline(megabytes: int) -> int:
    return measure(text=too_large(megabytes=megabytes))


# Unions, files and None that are what was declared


@task
def optional(give: bool) -> list[Union[int, str]] | None:
    return [1, "a"] if give else None


@task
def files(give: bool) -> dict[str, FlyteFile | None]:
    path = pathlib.Path(current_context().working_directory) / "one.txt"
    path.write_text("one")
    return {"one": FlyteFile(str(path)) if give else None, "none": None}


@task
def tell(some: list[Union[int, str]] | None, named: dict[str, FlyteFile | None]) -> str:
    return f"{some} {sorted(name for name, file in named.items() if file is not None)}"


@workflow
def unions(give: bool) -> str:
    return tell(some=optional(give=give), named=files(give=give))


# Decks and checkpoints


@task(enable_deck=True)
def decked(fail: bool) -> int:
    Deck("mine", "<p>what I saw</p>")
    if fail:
        raise ValueError("after the deck")
    return 1


@workflow
def decks(fail: bool) -> int:
    return decked(fail=fail)


@task(retries=2)
def goes_on(folder: str) -> str:
    checkpoint = current_context().checkpoint
    found = checkpoint.read()
    done = int(found.decode()) if found else 0
    checkpoint.write(str(done + 1).encode())
    if done < 2 or not os.path.exists(f"{folder}/go"):
        raise FlyteRecoverableException(f"only {done} so far")
    return f"went on from {done}"


@workflow
def checkpoints(folder: str) -> str:
    return goes_on(folder=folder)


# Outputs that are not what was declared


def write_instead(raw: bytes) -> None:
    """Have flytekit's entrypoint, in this process alone, write something else."""
    utils.write_proto_to_file = lambda proto, path: pathlib.Path(path).write_bytes(raw)


def literals(**texts: str) -> bytes:
    made = {name: Literal(scalar=Scalar(primitive=Primitive(string_value=text))) for name, text in texts.items()}
    return LiteralMap(made).to_flyte_idl().SerializeToString()


@task
def writes_garbage(x: int) -> int:
    write_instead(b"\xff\xff\xff")
    return x


@task
def writes_another_type(x: int) -> int:
    write_instead(literals(o0="text"))
    return x


@task
def writes_another_variable(x: int) -> int:
    write_instead(literals(o7="text"))
    return x


@task
def writes_nothing(x: int) -> int:
    os._exit(0)
    return x


@task
def writes_garbage_for_an_error(x: int) -> int:
    write_instead(b"\xff\xff\xff")
    raise ValueError("told nobody")
    return x


@task
def raises_at_length(x: int) -> int:
    raise ValueError("begin" + "x" * 60 + 1000 * f"\n{'x' * 60}" + "end")
    return x


@workflow
def mapped_badly(n: int) -> list[int]:
    return map_task(writes_another_type)(x=far_numbers(n=n))


@task
def text_of(x: int) -> str:
    return str(x)


@dynamic
def makes_garbage(x: int) -> int:
    write_instead(b"\xff\xff\xff")
    return double(x=x)


@dynamic
def makes_another_type(x: int) -> int:
    return text_of(x=x)
