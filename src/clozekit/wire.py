"""Frames between processes that do not trust each other. Nothing is ever unpickled or evaluated.

    <u32 header length> <u64 payload length> <header: msgpack of typed structs> <payload: raw tensor bytes>

The first twelve bytes may carry file descriptors. A header is decoded into declared types only, under caps that are
checked before anything is allocated; tensors are rebuilt in `values.py` from dtype, shape and exactly that many bytes.
"""

import os
import select
import socket
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

PREFIX = struct.Struct("<IQ")
HEADER_LIMIT = 8 << 20
PAYLOAD_LIMIT = 1 << 30
FDS_LIMIT = 4


class Violation(Exception):
    """The other side broke the protocol."""


class TimedOut(Exception):
    """The deadline passed while we waited."""


class Gone(Exception):
    """The other side closed its end."""


class Stopped(Exception):
    """Nobody wants any longer what we waited for."""


class Stop:
    """Lets any thread end what another one waits for: a flag that a poll can see. Who waits closes it."""

    def __init__(self) -> None:
        self.seen, self.held = socket.socketpair()

    def set(self) -> None:
        self.held.close()

    def wait(self, seconds: float) -> bool:
        """Whether it is set before that time is over."""
        return bool(select.select([self.seen], [], [], seconds)[0])

    def close(self) -> None:
        self.held.close()
        self.seen.close()


class Channel:
    """One end of a stream socket that speaks frames.

    drain: a descriptor and what reads it while we wait. stop: what ends the waiting.
    """

    def __init__(
        self, sock: socket.socket, drain: tuple[int, Callable[[], bool]] | None = None, stop: Stop | None = None
    ):
        self.sock = sock
        self.drain = drain
        self.stop = stop
        sock.setblocking(False)

    def send(
        self, header: object, buffers: Sequence[Any] = (), fds: Sequence[int] = (), deadline: float | None = None
    ) -> None:
        """Send one frame. `deadline` is on time.monotonic().

        Raises:
            Violation: our own header is too large.
            TimedOut, Gone, Stopped.
        """
        encoded = msgspec.msgpack.encode(header)
        if len(encoded) > HEADER_LIMIT:
            raise Violation(f"a header of {len(encoded)} bytes, {HEADER_LIMIT} are allowed")
        prefix = PREFIX.pack(len(encoded), sum(len(buffer) for buffer in buffers))
        if fds:
            prefix = prefix[self._send_fds(prefix, list(fds), deadline) :]
        self._send(prefix + encoded, deadline)
        for buffer in buffers:
            self._send(buffer, deadline)

    def receive(
        self, type: Any, deadline: float | None = None, payload_limit: int = PAYLOAD_LIMIT
    ) -> tuple[Any, bytearray, list[int]]:
        """One frame: the header as `type`, the payload, the descriptors that came with it.

        Raises:
            Violation: too large, not msgpack, not of that type.
            TimedOut, Gone, Stopped.
        """
        fds: list[int] = []
        try:
            header_length, payload_length = PREFIX.unpack(self._receive_prefix(fds, deadline))
            if header_length > HEADER_LIMIT or payload_length > payload_limit:
                raise Violation(
                    f"a frame of {header_length} + {payload_length} bytes, {HEADER_LIMIT} + {payload_limit} are allowed"
                )
            header = self._receive(header_length, deadline)
            payload = self._receive(payload_length, deadline)
            try:
                return msgspec.msgpack.decode(header, type=type), payload, fds
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
                raise Violation(f"a malformed header: {error}"[:200]) from None
        except BaseException:
            for fd in fds:  # nobody else will: a frame that is refused must not cost us descriptors
                os.close(fd)
            raise

    def close(self) -> None:
        self.sock.close()

    def _wait(self, event: int, deadline: float | None) -> None:
        while True:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise TimedOut
            poll = select.poll()
            poll.register(self.sock, event)
            if self.drain:
                poll.register(self.drain[0], select.POLLIN)
            if self.stop:
                poll.register(self.stop.seen, select.POLLIN)
            ready = dict(poll.poll(None if left is None else max(1, int(left * 1000))))
            if self.stop and self.stop.seen.fileno() in ready:
                raise Stopped
            if self.drain and self.drain[0] in ready and not self.drain[1]():
                self.drain = None
            if self.sock.fileno() in ready:
                return

    def _send(self, data: Any, deadline: float | None) -> None:
        view = memoryview(data).cast("B")
        while view:
            try:
                view = view[self.sock.send(view) :]
            except BlockingIOError:
                self._wait(select.POLLOUT, deadline)
            except (BrokenPipeError, ConnectionResetError):
                raise Gone from None

    def _send_fds(self, data: bytes, fds: list[int], deadline: float | None) -> int:
        while True:
            try:
                return socket.send_fds(self.sock, [data], fds)
            except BlockingIOError:
                self._wait(select.POLLOUT, deadline)
            except (BrokenPipeError, ConnectionResetError):
                raise Gone from None

    def _receive_prefix(self, fds: list[int], deadline: float | None) -> bytes:
        """The first bytes of a frame; descriptors that come along are added to `fds`."""
        data = b""
        while len(data) < PREFIX.size:
            try:
                more, new, _, _ = socket.recv_fds(self.sock, PREFIX.size - len(data), FDS_LIMIT)
            except BlockingIOError:
                self._wait(select.POLLIN, deadline)
                continue
            except ConnectionResetError:
                raise Gone from None
            if not more:
                raise Gone
            data += more
            fds += new
        return data

    def _receive(self, length: int, deadline: float | None) -> bytearray:
        data = bytearray(length)
        view = memoryview(data)
        while view:
            try:
                count = self.sock.recv_into(view)
            except BlockingIOError:
                self._wait(select.POLLIN, deadline)
                continue
            except ConnectionResetError:
                raise Gone from None
            if not count:
                raise Gone
            view = view[count:]
        return data
