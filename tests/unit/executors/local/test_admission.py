from dayfly.executors.local import admission

GIBI = 1024**3


def make(cpus: float = 2.0, memory: int = 8 * GIBI, overcommit: float = 1.0) -> admission.Admission:
    return admission.Admission(admission.Capacity(cpus, memory, overcommit), default_cpu=0.25)


def offer(host: admission.Admission, key: str, cpu: float = 0, memory: int = 0) -> None:
    host.offer(host.fit(key, cpu, memory))


def keys(wishes: list[admission.Wish]) -> list[str]:
    return [wish.key for wish in wishes]


def test_what_asks_for_nothing_counts_a_little() -> None:
    host = make(cpus=1.0)
    for number in range(5):
        offer(host, str(number))
    assert keys(host.admit()) == ["0", "1", "2", "3"]
    assert host.news() == {"4": "waiting for 0.25 of 1 CPUs: 1 in use"}


def test_cores_are_given_away_more_than_once() -> None:
    host = make(cpus=1.0, overcommit=2.0)
    for number in range(3):
        offer(host, str(number), cpu=1)
    assert keys(host.admit()) == ["0", "1"]


def test_what_does_not_fit_is_passed_by_and_its_turn_comes() -> None:
    host = make()
    offer(host, "a", cpu=1.5)
    offer(host, "large", cpu=2)
    offer(host, "small", cpu=0.5)
    assert keys(host.admit()) == ["a", "small"]
    assert host.news() == {"large": "waiting for 2 of 2 CPUs: 2 in use"}
    host.leave("a")
    assert host.admit() == []
    host.leave("small")
    assert keys(host.admit()) == ["large"]


def test_what_was_passed_by_too_often_holds_all_others_back() -> None:
    host = make()
    offer(host, "a", cpu=1)
    host.admit()
    offer(host, "large", cpu=2)
    for number in range(admission.MOST_OVERTAKEN):
        offer(host, f"small{number}", cpu=1)
        assert keys(host.admit()) == [f"small{number}"]
        host.leave(f"small{number}")
    offer(host, "late", cpu=1)
    assert host.admit() == []
    assert host.news()["late"] == "waiting for larger groups that came before"
    host.leave("a")
    assert keys(host.admit()) == ["large"]


def test_memory_is_counted_too() -> None:
    host = make()
    offer(host, "a", memory=6 * GIBI)
    offer(host, "b", memory=4 * GIBI)
    assert keys(host.admit()) == ["a"]
    assert host.news() == {"b": "waiting for 4.0 GiB of 8.0 GiB of memory: 6.0 GiB in use"}


def test_more_than_the_host_has_is_the_whole_host() -> None:
    host = make()
    wish = host.fit("a", 64, 100 * GIBI)
    assert (wish.cpu, wish.memory_bytes) == (2, 8 * GIBI)
    assert wish.note == (
        "64 CPUs were asked for, and this host has 2: it gets them all; "
        "100.0 GiB of memory were asked for, and this host has 8.0 GiB to give: it gets it all"
    )
    host.offer(wish)
    assert keys(host.admit()) == ["a"]


def test_what_runs_already_counts_even_above_what_there_is() -> None:
    host = make()
    for key in "ab":
        host.occupy(host.fit(key, 2, 0))
    offer(host, "c", cpu=1)
    assert host.admit() == []
    assert host.cpu_used == 4


def test_offering_twice_is_once_and_leaving_twice_is_fine() -> None:
    host = make()
    for _ in range(2):
        offer(host, "a", cpu=1)
    assert keys(host.admit()) == ["a"]
    offer(host, "a", cpu=1)
    assert host.admit() == []
    for _ in range(2):
        host.leave("a")
    assert (host.cpu_used, host.memory_used) == (0, 0)


def test_executions_take_turns() -> None:
    host = make(cpus=1.0)
    for number in range(6):
        offer(host, f"p/d/wide/n{number}/0", cpu=0.5)
    assert keys(host.admit()) == ["p/d/wide/n0/0", "p/d/wide/n1/0"]
    for number in range(2):
        offer(host, f"p/d/small/n{number}/0", cpu=0.5)
    served = []
    for ended in ("p/d/wide/n0/0", "p/d/wide/n1/0"):
        host.leave(ended)
        served += keys(host.admit())
    for _ in range(4):
        host.leave(served[-2])
        served += keys(host.admit())
    assert [key.split("/")[2] for key in served] == ["wide", "small", "wide", "small", "wide", "wide"]
    assert [key for key in served if "wide" in key] == [f"p/d/wide/n{number}/0" for number in range(2, 6)]


def test_a_large_one_is_not_starved_by_a_backlog_that_came_before_it() -> None:
    host = make(cpus=2.0)
    for number in range(3 * admission.MOST_OVERTAKEN):
        offer(host, f"p/d/wide/n{number}/0", cpu=1)
    running = keys(host.admit())
    offer(host, "p/d/other/large/0", cpu=2)
    passed_by = 0
    while running != ["p/d/other/large/0"]:
        host.leave(running.pop(0))
        admitted = keys(host.admit())
        passed_by += len([key for key in admitted if "wide" in key])
        running += admitted
    assert passed_by == admission.MOST_OVERTAKEN


def test_why_one_waits_is_told_once() -> None:
    host = make(cpus=1.0)
    for key in ("a", "b", "c"):
        offer(host, key, cpu=1)
    host.admit()
    assert sorted(host.news()) == ["b", "c"]
    host.leave("a")
    assert keys(host.admit()) == ["b"]
    assert host.news() == {}


def stand(host: admission.Admission, key: str, cpu: float = 0, memory: int = 0) -> bool:
    return host.stand(host.fit(key, cpu, memory))


def test_what_stands_by_takes_only_what_is_free() -> None:
    host = make(cpus=4.0)
    offer(host, "a", cpu=2, memory=4 * GIBI)
    host.admit()
    assert stand(host, "first", cpu=1)
    assert not stand(host, "large", cpu=1.5)
    assert not stand(host, "large", memory=5 * GIBI)
    assert stand(host, "second", cpu=1)
    assert host.give_way() == []
    assert host.cpu_used == 2


def test_what_stands_by_gives_way_the_oldest_first() -> None:
    host = make(cpus=4.0)
    for key in ("first", "second", "third"):
        assert stand(host, key, cpu=1)
    offer(host, "a", cpu=2.5)
    assert keys(host.admit()) == ["a"], "it never waits for these"
    assert host.give_way() == ["first", "second"]
    assert host.give_way() == []
    host.leave("third")
    offer(host, "b", cpu=1.5)
    assert keys(host.admit()) == ["b"]
    assert host.give_way() == []


def test_nothing_stands_by_where_anything_waits() -> None:
    host = make()
    assert stand(host, "first", cpu=0.5)
    offer(host, "a", cpu=1.5)
    offer(host, "b", cpu=2)
    assert keys(host.admit()) == ["a"]
    assert host.give_way() == ["first"]
    assert not stand(host, "second", cpu=0.5)
    host.leave("b")
    assert stand(host, "second", cpu=0.5)
