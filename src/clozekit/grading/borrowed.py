"""Processes for a trusted one that may start none itself: the front owns them all, and lends them.

front = Front(channel)
front.spawn()           a worker: two descriptors, and a way to have it ended
front.bench()           a process that drives a device; the one before it has ended then
"""

import socket

from clozekit.protocol import Ended, EndWorker, NeedBench, NeedWorker, Started
from clozekit.wire import Channel


class Front:
    """The way to the front."""

    def __init__(self, channel: Channel):
        self.channel = channel

    def spawn(self) -> "Borrowed":
        """A fresh worker."""
        self.channel.send(NeedWorker())
        started, _, fds = self.channel.receive(Started)
        return Borrowed(self.channel, started.pid, *fds)

    def bench(self) -> Channel:
        """The way to a fresh process that drives a device."""
        self.channel.send(NeedBench())
        _, _, (fd,) = self.channel.receive(Started)
        return Channel(socket.socket(fileno=fd))


class Borrowed:
    """A worker that the front started for us."""

    def __init__(self, front: Channel, pid: int, channel: int, output: int):
        self.front, self.pid, self.channel, self.output = front, pid, channel, output

    def end(self, at_once: bool) -> int | None:
        self.front.send(EndWorker(self.pid, at_once))
        ended, _, _ = self.front.receive(Ended)
        return ended.status
