"""Frames over a socket whose other end cannot be trusted. What must time out gets a deadline that has passed."""

import os
import resource
import socket
import threading
import time
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from clozekit import calls
from clozekit.wire import FDS_LIMIT, HEADER_LIMIT, PREFIX, Channel, Gone, TimedOut, Violation


class Note(Struct, tag=True, frozen=True):
    text: str
    number: int = 0


class Other(Struct, tag=True, frozen=True):
    text: str


NOTE = Note("hello", 7)
HEADER = msgspec.msgpack.encode(NOTE)
PAST = 0.0


@pytest.fixture
def pair() -> Iterator[tuple[Channel, socket.socket]]:
    """A channel, and the raw socket at its other end."""
    ours, theirs = socket.socketpair()
    yield Channel(ours), theirs
    ours.close()
    theirs.close()


def frame(header: bytes, payload: bytes = b"") -> bytes:
    return PREFIX.pack(len(header), len(payload)) + header + payload


def test_a_frame_arrives_as_it_was_sent(pair):
    ours, theirs = pair
    there = Channel(theirs)
    for payload in ([], [b""], [b"ab", bytearray(b"cd"), memoryview(b"ef")]):
        ours.send(NOTE, payload)
        header, received, fds = there.receive(Note | Other)
        assert (header, received, fds) == (NOTE, b"".join(payload), [])


def test_frames_keep_their_order_and_borders(pair):
    ours, theirs = pair
    for number in range(5):
        ours.send(Note("n", number), [bytes(number)])
    there = Channel(theirs)
    assert [(there.receive(Note)[0].number) for _ in range(5)] == [0, 1, 2, 3, 4]


def test_a_frame_larger_than_any_buffer_arrives_whole(pair):
    ours, theirs = pair
    payload = os.urandom(3 << 20)
    sender = threading.Thread(target=ours.send, args=(NOTE, [payload]))
    sender.start()
    assert Channel(theirs).receive(Note)[1] == payload
    sender.join()


def test_a_frame_that_comes_byte_by_byte_is_put_together(pair):
    ours, theirs = pair
    raw = frame(HEADER, b"payload")

    def drip() -> None:
        for i in range(len(raw)):
            theirs.sendall(raw[i : i + 1])

    sender = threading.Thread(target=drip)
    sender.start()
    assert ours.receive(Note)[:2] == (NOTE, b"payload")
    sender.join()


# Bytes that are no frame for a Note, with a part of the reason.
MALFORMED = {
    "no msgpack": (frame(b"\xc1"), "malformed header"),
    "an empty header": (frame(b""), "malformed header"),
    "more than one object": (frame(HEADER + HEADER), "malformed header"),
    "half an object": (frame(HEADER[:-1]), "malformed header"),
    "another struct": (frame(msgspec.msgpack.encode(Other("x"))), "malformed header"),
    "no struct": (frame(msgspec.msgpack.encode([1, 2])), "malformed header"),
    "a wrong type": (frame(msgspec.msgpack.encode({"type": "Note", "text": 3})), "malformed header"),
    "a missing field": (frame(msgspec.msgpack.encode({"type": "Note"})), "malformed header"),
    "text that is not UTF-8": (frame(b"\x82\xa4type\xa4Note\xa4text\xa1\xff"), "malformed header"),
    "a tag that is not UTF-8": (frame(b"\x81\xa4type\xa1\xff"), "malformed header"),
    "arrays in arrays": (frame(b"\x91" * 100_000 + b"\x90"), "malformed header"),
    "an array of four billion": (frame(b"\xdd\xff\xff\xff\xff"), "malformed header"),
    "a string of four billion": (frame(b"\xdb\xff\xff\xff\xff"), "malformed header"),
    "a header over the cap": (PREFIX.pack(HEADER_LIMIT + 1, 0), "are allowed"),
    "a payload over the cap": (PREFIX.pack(len(HEADER), 1001), "are allowed"),
    "the largest numbers": (b"\xff" * PREFIX.size, "are allowed"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_frame_is_a_violation(pair, name):
    raw, reason = MALFORMED[name]
    ours, theirs = pair
    theirs.sendall(raw)
    with pytest.raises(Violation, match=reason):
        ours.receive(Note, payload_limit=1000)


def test_a_frame_that_claims_too_much_costs_no_memory(pair, monkeypatch):
    ours, theirs = pair
    monkeypatch.setattr(Channel, "_receive", lambda *_: pytest.fail("allocated before it was checked"))
    theirs.sendall(PREFIX.pack(10, 1 << 60))
    with pytest.raises(Violation):
        ours.receive(Note)


def test_a_payload_at_the_cap_is_received(pair):
    ours, theirs = pair
    theirs.sendall(frame(HEADER, bytes(1000)))
    assert len(ours.receive(Note, payload_limit=1000)[1]) == 1000


@pytest.mark.parametrize("length", range(len(frame(HEADER, b"payload"))))
def test_a_frame_cut_at_any_byte_means_that_the_other_side_is_gone(pair, length):
    ours, theirs = pair
    theirs.sendall(frame(HEADER, b"payload")[:length])
    theirs.close()
    with pytest.raises(Gone):
        ours.receive(Note)


@pytest.mark.parametrize("length", [0, 5, PREFIX.size, PREFIX.size + 3, len(frame(HEADER, b"payload")) - 1])
def test_a_frame_that_does_not_go_on_times_out(pair, length):
    ours, theirs = pair
    theirs.sendall(frame(HEADER, b"payload")[:length])
    with pytest.raises(TimedOut):
        ours.receive(Note, PAST)


def test_what_is_there_already_is_received_even_after_the_deadline(pair):
    ours, theirs = pair
    theirs.sendall(frame(HEADER))
    assert ours.receive(Note, PAST)[0] == NOTE


def test_sending_to_one_who_does_not_read_times_out(pair):
    ours, _ = pair
    with pytest.raises(TimedOut):
        ours.send(NOTE, [bytes(8 << 20)], deadline=PAST)


def test_sending_descriptors_to_one_who_does_not_read_times_out(pair):
    ours, _ = pair
    with pytest.raises(TimedOut):
        ours.send(NOTE, [bytes(8 << 20)], deadline=PAST)
    with pytest.raises(TimedOut):
        ours.send(NOTE, fds=[0], deadline=PAST)


@pytest.mark.parametrize("fds", [[], [0]])
def test_sending_to_one_who_has_closed_means_that_it_is_gone(pair, fds):
    ours, theirs = pair
    theirs.close()
    with pytest.raises(Gone):
        ours.send(NOTE, [bytes(8 << 20)], fds=fds)


def test_a_connection_reset_means_that_the_other_side_is_gone(pair):
    ours, theirs = pair
    ours.send(NOTE)
    theirs.close()  # with our frame unread: the next read is answered by a reset
    with pytest.raises(Gone):
        ours.receive(Note)


def test_our_own_header_over_the_cap_is_not_sent(pair):
    ours, theirs = pair
    with pytest.raises(Violation, match="a header of"):
        ours.send(Note("x" * HEADER_LIMIT))
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        theirs.recv(1)


def test_descriptors_ride_along(pair):
    ours, theirs = pair
    read, write = os.pipe()
    ours.send(NOTE, [b"payload"], fds=[write])
    os.close(write)
    header, payload, fds = Channel(theirs).receive(Note)
    assert (header, payload) == (NOTE, b"payload")
    os.write(fds[0], b"through the pipe")
    assert os.read(read, 100) == b"through the pipe"
    os.close(fds[0])
    os.close(read)


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


# What follows the descriptors, and what that is to the one who receives them.
BAD_COMPANY = {
    "a malformed header": (frame(b"\xc1"), False, Violation),
    "a cap broken": (PREFIX.pack(HEADER_LIMIT + 1, 0), False, Violation),
    "an end": (PREFIX.pack(10, 0), True, Gone),
    "an end within the prefix": (b"\0", True, Gone),
    "nothing": (PREFIX.pack(10, 0), False, TimedOut),
}


@pytest.mark.parametrize("name", BAD_COMPANY)
def test_descriptors_of_a_refused_frame_are_closed(pair, name):
    raw, closes, error = BAD_COMPANY[name]
    ours, theirs = pair
    before = open_descriptors()
    socket.send_fds(theirs, [raw], [0, 0, 0])
    if closes:
        theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(error):
        ours.receive(Note, PAST)
    assert open_descriptors() == before


def test_more_descriptors_than_are_allowed_do_not_stay_open(pair):
    ours, theirs = pair
    before = open_descriptors()
    socket.send_fds(theirs, [frame(HEADER)], [0] * 50)
    fds = ours.receive(Note)[2]
    assert len(fds) <= FDS_LIMIT + 1  # the kernel's alignment may let one more through
    for fd in fds:
        os.close(fd)
    assert open_descriptors() == before


def test_descriptors_behind_the_prefix_are_not_taken(pair):
    ours, theirs = pair
    before = open_descriptors()
    raw = frame(HEADER)
    theirs.sendall(raw[: PREFIX.size])
    socket.send_fds(theirs, [raw[PREFIX.size :]], [0])
    assert ours.receive(Note)[2] == []
    assert open_descriptors() == before


def test_received_descriptors_do_not_exhaust_the_process(pair):
    ours, theirs = pair
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    for _ in range(limit // FDS_LIMIT + 1 if limit < 10_000 else 300):
        socket.send_fds(theirs, [PREFIX.pack(HEADER_LIMIT + 1, 0)], [0] * FDS_LIMIT)
        with pytest.raises(Violation):
            ours.receive(Note)


def test_while_we_wait_the_output_is_drained():
    """A worker that prints more than a pipe holds before it answers must not wait for us while we wait for it."""
    ours, theirs = socket.socketpair()
    read, write = os.pipe()
    printed = bytearray()

    def drain() -> bool:
        more = os.read(read, 1 << 16)
        printed.extend(more)
        return bool(more)

    def chatter() -> None:
        for _ in range(8):
            os.write(write, b"x" * (1 << 16))
        os.close(write)
        theirs.sendall(frame(HEADER))

    sender = threading.Thread(target=chatter, daemon=True)
    sender.start()
    assert Channel(ours, drain=(read, drain)).receive(Note, time.monotonic() + 60)[0] == NOTE
    sender.join()
    while drain():
        pass
    assert len(printed) == 8 << 16
    for end in (ours, theirs):
        end.close()
    os.close(read)


plain = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary()
trees = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=10)
headers = st.binary(max_size=200) | trees.map(msgspec.msgpack.encode)


@settings(deadline=None)
@given(header=headers, payload=st.binary(max_size=50), cut=st.integers(0, 300))
def test_whatever_a_worker_sends_is_a_reply_or_a_violation_or_an_end(header, payload, cut):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(frame(header, payload)[: 300 - cut])
        theirs.shutdown(socket.SHUT_WR)
        try:
            reply, received, fds = Channel(ours).receive(calls.Reply)
        except (Violation, Gone):
            return
        assert isinstance(reply, calls.Returned | calls.Raised | calls.Mismatched)
        assert (received, fds) == (payload, [])
