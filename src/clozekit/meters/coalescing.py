"""How a warp's lanes share what memory moves: the compiled layout of each access, joined with addresses that programs touched.

    layouts(ttgir)      [Layout("load", line=12, shape=(1024,), per_thread=(4,), threads=(32,), warps=(4,), order=(0,)), ...]
    share(layouts, {("load", 12, (1024,)): [(addresses, mask, 4)]})      1.0: of each sector that a warp asks for, all is used

What a profiler calls sectors per request, seen from the other side: 1.0 is as good as can be, 0.125 means that of every 32
bytes that come, 4 are looked at. Layouts are those of TritonGPU IR; accesses in others than blocked ones and their
slices (tensor memory, descriptors) are left out.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from clozekit.meters.costs import SECTOR

WIDEST = 16  # bytes that one thread moves by one instruction
BLOCKED = re.compile(
    r"^(#\w+) = #ttg\.blocked<\{sizePerThread = \[([\d, ]+)\], threadsPerWarp = \[([\d, ]+)\], "
    r"warpsPerCTA = \[([\d, ]+)\], order = \[([\d, ]+)\]",
    re.M,
)
ACCESS = re.compile(
    r"\b(tt\.load|tt\.store|tt\.atomic_rmw|ttg\.async_copy_global_to_local)\b[^\n]*?"
    r"tensor<([\dx]+)x!tt\.ptr<\w+>, (#\w+|#ttg\.slice<\{dim = (\d), parent = (#\w+)\}>)>[^\n]*loc\((#loc\w*)\)$",
    re.M,
)
LOCATION = re.compile(r"^(#loc\w*) = loc\((.*)\)$", re.M)
KINDS = {"tt.store": "store", "tt.atomic_rmw": "atomic"}

Sizes = tuple[int, ...]
Place = tuple[str, int, Sizes]  # kind, line, shape of the block
Touched = tuple[np.ndarray, np.ndarray | None, int]  # addresses, mask, bytes of an element


class Layout(NamedTuple):
    """Which thread has which element of the block of one access."""

    kind: str
    line: int
    shape: Sizes
    per_thread: Sizes
    threads: Sizes
    warps: Sizes
    order: Sizes  # of the axes, the fastest first


def layouts(ttgir: str) -> list[Layout]:
    """Of every access whose layout and line are known."""
    blocked = {name: [_sizes(part) for part in parts] for name, *parts in BLOCKED.findall(ttgir)}
    locations = dict(LOCATION.findall(ttgir))
    found = []
    for operation, shape, name, axis, parent, location in ACCESS.findall(ttgir):
        line, parts = _line(location, locations), blocked.get(parent or name)
        if line is None or parts is None:
            continue
        own, across, apart, order = parts
        if parent:  # the threads along the axis that is left out hold copies
            gone = int(axis)
            own, across, apart = (each[:gone] + each[gone + 1 :] for each in (own, across, apart))
            order = tuple(at - (at > gone) for at in order if at != gone)
        whole = tuple(map(int, shape.split("x")))
        found.append(Layout(KINDS.get(operation, "load"), line, whole, own, across, apart, order))
    return found


def share(found: Iterable[Layout], touched: Mapping[Place, list[Touched]]) -> float:
    """Of the bytes in all sectors that warps ask for, those that their lanes use; 0.0 where nothing could be joined."""
    used = moved = 0
    for layout in found:
        for addresses, mask, size in touched.get((layout.kind, layout.line, layout.shape), ()):
            lanes = np.ones(layout.shape, bool) if mask is None else np.broadcast_to(mask, layout.shape)
            places = np.broadcast_to(addresses, layout.shape).astype(np.int64)[lanes]
            if places.size:
                requests = _requests(layout, size)[lanes]
                used += size * _pairs(requests, places - places.min())
                moved += SECTOR * _pairs(requests, places // SECTOR - places.min() // SECTOR)
    return round(min(1.0, used / moved), 3) if moved else 0.0


def _pairs(requests: np.ndarray, places: np.ndarray) -> int:
    """How many different pairs there are; each becomes one number, which is quicker to sort."""
    return int(np.unique(requests * (int(places.max()) + 1) + places).size)


def _requests(layout: Layout, size: int) -> np.ndarray:
    """For each element the instruction of a warp by which it is moved: the same number, the same request."""
    index = np.indices(layout.shape)
    request: np.ndarray = np.zeros(layout.shape, np.int64)
    vector = max(1, min(layout.per_thread[layout.order[0]], WIDEST // size)) if layout.order else 1
    for place, axis in enumerate(layout.order):
        own, across, apart = layout.per_thread[axis], layout.threads[axis], layout.warps[axis]
        within = index[axis] % own // (vector if place == 0 else 1)
        warp = index[axis] // (own * across) % apart
        again = index[axis] // (own * across * apart)
        span = int(again.max()) + 1
        request = ((request * own + within) * apart + warp) * span + again
    return request


def _sizes(text: str) -> Sizes:
    return tuple(map(int, text.split(",")))


def _line(location: str, locations: Mapping[str, str]) -> int | None:
    """The line of a location, which may be named after others."""
    for _ in range(8):
        said = locations.get(location, location)
        if place := re.match(r'"[^"]*":(\d+):\d+', said):
            return int(place[1])
        named = re.search(r"#loc\w*", said)
        if named is None:
            return None
        location = named[0]
    return None
