import socket

import pytest

from dayfly.executors.local.forked import channel, wire


def test_messages_come_out_as_they_went_in_whatever_the_cuts() -> None:
    messages = [{"op": "start", "value": "é\n\0" * number} for number in range(5)]
    stream = b"".join(wire.pack(message) for message in messages)
    for size in (1, 3, 7, len(stream)):
        buffer, found = bytearray(), []
        for start in range(0, len(stream), size):
            buffer += stream[start : start + size]
            found += wire.take(buffer)
        assert found == messages
        assert not buffer


def test_a_length_beyond_all_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="the limit is"):
        wire.take(bytearray(b"\xff\xff\xff\xff"))


def test_a_peer_never_blocks_and_sends_the_rest_later() -> None:
    ours, theirs = socket.socketpair()
    sender, reader = wire.Peer(ours), wire.Peer(theirs)
    message = {"value": "x" * 2_000_000}
    sender.send(message)
    assert sender.waiting
    received = []
    while not received:
        received = reader.receive()
        sender.flush()
    assert received == [message]
    sender.close()
    assert reader.receive() == []
    assert reader.closed
    reader.close()
    reader.send(message)


def test_a_broken_peer_is_closed() -> None:
    ours, theirs = socket.socketpair()
    peer = wire.Peer(ours)
    theirs.sendall(b"\xff\xff\xff\xffnonsense")
    assert peer.receive() == []
    assert peer.closed
    theirs.close()
    peer.close()


def test_a_role_waits_for_facts_and_tells_its_own() -> None:
    ours, theirs = socket.socketpair()
    said = channel.Channel(theirs, "driver", 0, {"known": 1})
    assert said.wait("known") == 1
    ours.sendall(wire.pack({"facts": {"address": "a"}}) + wire.pack({"facts": {"more": 2}}))
    assert said.wait("address", 5) == "a"
    assert said.facts == {"known": 1, "address": "a", "more": 2}
    with pytest.raises(TimeoutError, match="no role has published 'missing'"):
        said.wait("missing", 0)
    said.publish("ready")
    assert wire.take(bytearray(ours.recv(1000))) == [{"publish": "ready", "value": True}]
    ours.close()
    with pytest.raises(ConnectionError):
        said.wait("missing", 5)
    theirs.close()
