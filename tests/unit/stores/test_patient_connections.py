"""The engine's transactions leave room for those of doors."""

import asyncio
import threading

import pytest

from dayfly.stores import sqlite
from dayfly.stores.connections import Connections, PatientConnections


@pytest.fixture
async def connections(tmp_path):
    opened = Connections(f"sqlite:///{tmp_path}/db")
    yield opened
    await opened.close()


async def test_a_call_does_not_wait_for_all_that_the_engine_has_to_do(connections):
    patient, go_on, begun = PatientConnections(connections), threading.Event(), []

    def take_long(_) -> None:
        begun.append(1)
        assert go_on.wait(20)

    engine = [asyncio.create_task(patient.read(take_long)) for _ in range(3 * sqlite.READERS)]
    assert await connections.read(lambda _: "answer") == "answer"
    assert len(begun) <= sqlite.PATIENT < sqlite.READERS
    go_on.set()
    await asyncio.gather(*engine)
    assert len(begun) == len(engine)


async def test_what_fails_makes_room(connections):
    patient = PatientConnections(connections)

    def fail(_) -> None:
        raise ZeroDivisionError

    for _ in range(2 * sqlite.PATIENT):
        with pytest.raises(ZeroDivisionError):
            await patient.write(fail)
    assert await patient.write(lambda _: 1) == 1
