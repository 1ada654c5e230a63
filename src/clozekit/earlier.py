"""What earlier calls were given and what they returned: none of it may change later.

earlier = Earlier()
earlier.keep("result", y)          y as it is now
y.zero_()
earlier.disturbed()                ["result"]

A buffer that every call fills anew, a list that every call returns, an argument that the next call writes to: each looks right
in the moment in which its own call is judged.
"""

import hashlib
from collections import deque
from collections.abc import Collection
from typing import Any

import msgspec

from clozekit import values
from clozekit.calls import Earlier as Kind

CALLS = 4  # that are looked back upon; each is looked at again after every further call


class Earlier:
    """The arguments and the result of the last few calls, with their bytes. `devices`: on which tensors are looked at."""

    def __init__(self, devices: Collection[str] = values.CPU) -> None:
        self.devices = devices
        self.kept: deque[tuple[Kind, Any, bytes]] = deque(maxlen=2 * CALLS)

    def keep(self, kind: Kind, thing: Any) -> None:
        """Remember `thing` as it is now."""
        self.kept.append((kind, thing, fingerprint(thing, self.devices)))

    def disturbed(self) -> list[Kind]:
        """The kinds of things that are no longer as they were."""
        return sorted({kind for kind, thing, before in self.kept if fingerprint(thing, self.devices) != before})

    def renew(self) -> None:
        """Take everything as it is now: whoever calls has written to it."""
        now = ((kind, thing, fingerprint(thing, self.devices)) for kind, thing, _ in self.kept)
        self.kept = deque(now, self.kept.maxlen)


def fingerprint(thing: Any, devices: Collection[str] = values.CPU) -> bytes:
    """The same for two values only if they would be sent as the same bytes."""
    buffers: list[Any] = []
    digest = hashlib.blake2b(msgspec.msgpack.encode(values.encode(thing, buffers, devices=devices)), digest_size=16)
    for buffer in buffers:
        digest.update(buffer)
    return digest.digest()
