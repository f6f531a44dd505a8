import pytest
from flyteidl.admin import common_pb2

from dayfly.base import errors
from dayfly.ports.definitions import Filter, Listed
from dayfly.services import filters, paging


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ()),
        ("eq(phase,RUNNING)", (Filter("phase", "eq", ("RUNNING",)),)),
        ("eq(phase, RUNNING)", (Filter("phase", "eq", ("RUNNING",)),)),
        ("value_in(phase,A;B)", (Filter("phase", "value_in", ("A", "B")),)),
        ("contains(launch_plan.name,a(b),c)", (Filter("launch_plan.name", "contains", ("a(b),c",)),)),
        ("gte(duration,1m30s)+ne(user,ann)", (Filter("duration", "gte", ("1m30s",)), Filter("user", "ne", ("ann",)))),
        (r"eq(name,my\+wf)+eq(mode,1)", (Filter("name", "eq", ("my+wf",)), Filter("mode", "eq", ("1",)))),
        (r"contains(name,a\;b\+c)", (Filter("name", "contains", ("a;b+c",)),)),
        (r"value_in(name,a\+b;c)", (Filter("name", "value_in", ("a+b", "c")),)),
        (r"value_in(name,a\;b)", (Filter("name", "value_in", ("a\\", "b")),)),
        (r"eq(name,a\b\)+eq(mode,%2B)", (Filter("name", "eq", ("a\\b\\",)), Filter("mode", "eq", ("%2B",)))),
        ("not_like(name,.flytegen%)", (Filter("name", "not_like", (".flytegen%",)),)),
    ],
)
def test_reads(text, wanted):
    assert filters.parse(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "phase",
        "eq(phase)",
        "eq(,x)",
        "eq(phase,)",
        "eq phase,x)",
        "eq(phase,x",
        "same(phase,x)",
        "eq(a,b;c)",
        r"eq(a,b\;c;d)",
        "+",
        "eq(a,b)+",
    ],
)
def test_refuses(text):
    with pytest.raises(errors.InvalidArgument):
        filters.parse(text)


def request(**fields):
    return common_pb2.ResourceListRequest(**{"limit": 10, **fields})


def test_pages_walk_to_the_end():
    page = paging.read(request(limit=2))
    assert (page.offset, page.sort_key, page.descending) == (0, "created_at", True)
    token = paging.next_token(page, ["a", "b"])
    page = paging.read(request(limit=2, token=token))
    assert page.offset == 2
    assert paging.next_token(page, ["c"]) == ""


def test_tokens_carry_the_stores_position():
    page = paging.read(request(limit=2, token="4"))
    token = paging.next_token(page, Listed(["a", "b"], "a-_b"))
    page = paging.read(request(limit=2, token=token))
    assert (page.offset, page.position) == (6, "a-_b")
    assert paging.next_token(page, Listed(["c"], "x")) == ""


def test_order():
    ascending = {"key": "name", "direction": common_pb2.Sort.ASCENDING}
    page = paging.read(request(sort_by=ascending))
    assert (page.sort_key, page.descending) == ("name", False)
    page = paging.read(request(sort_by={"key": "name"}))
    assert (page.sort_key, page.descending) == ("name", True)
    page = paging.read(request(), sort_key="")
    assert page.sort_key == ""


@pytest.mark.parametrize("token", ["x", "-1", "1.5", "9" * 30, "²", "5-", "-", "x-abc"])
def test_strange_tokens(token):
    with pytest.raises(errors.InvalidArgument):
        paging.read(request(token=token))
