"""What one program loads and another stores: programs run in any order on a GPU, here one after the other.

    Race: softmax_kernel, line 14: `s = tl.load(s_ptr + row)` loads element 3 of s_ptr, which another program of this
    launch stores (line 9); on a GPU programs run in any order

Only launches without atomics are judged, as programs can wait for each other by those; and two stores to one place are
let be, as both may store the same.
"""

import linecache
import math

import numpy as np

from clozekit.kernels.bounds import Access
from clozekit.kernels.refusal import refused

LIMIT = 1 << 24  # elements that are remembered of a launch; of one that touches more nothing is said

Touch = tuple[tuple[int, ...], Access]


class Race(RuntimeError):
    """The result depends on the order of programs."""


class Programs:
    """What the programs of one launch touch. `kernel` and `file` are for messages."""

    def __init__(self, kernel: str, file: str):
        self.kernel, self.file = kernel, file
        self.loads: list[Touch] = []
        self.stores: list[Touch] = []
        self.left: float = LIMIT

    def touched(self, program: tuple[int, ...], access: Access) -> None:
        """Remember one access of one program."""
        self.left -= math.inf if access.kind == "atomic" else access.pointers.size
        if self.left >= 0:
            (self.stores if access.kind == "store" else self.loads).append((program, access))
        else:
            self.loads, self.stores = [], []

    def check(self) -> None:
        """Look at all of them, once every program has run.

        Raises:
            Race: one program loads what another one stores.
        """
        if self.left < 0 or not self.stores or len({program for program, _ in self.stores + self.loads}) == 1:
            return
        writers = list({program for program, _ in self.stores})
        number = {program: at for at, program in enumerate(writers)}
        places = [_places(access) for _, access in self.stores]
        lengths = [each.size for each in places]
        stored = np.concatenate(places)
        by: np.ndarray = np.repeat([number[program] for program, _ in self.stores], lengths)
        which: np.ndarray = np.repeat(np.arange(len(places)), lengths)
        order = np.lexsort((by, stored))
        stored, by, which = stored[order], by[order], which[order]
        for program, load in self.loads if stored.size else ():
            loaded = _places(load)
            loaded = loaded[(loaded >= stored[0]) & (loaded <= stored[-1])]
            # of all that store to one place, the first and the last program
            for at in (np.searchsorted(stored, loaded), np.searchsorted(stored, loaded, "right") - 1):
                races = (stored[at] == loaded) & (by[at] != number.get(program, -1))
                if races.any():
                    store = self.stores[int(which[at][races][0])][1]
                    raise self._race(load, int(loaded[races][0]), store)

    def _race(self, load: Access, address: int, store: Access) -> Race:
        code = linecache.getline(self.file, load.line or 0).strip()
        facts: dict[str, object] = {"kernel": self.kernel, "line": load.line, "code": code, "store": store.line}
        if load.argument is None:
            return refused(Race, "kernel-race", **facts)
        index = (address - load.argument.start) // load.size
        return refused(Race, "kernel-race-element", index=index, tensor=load.argument.name, **facts)


def _places(access: Access) -> np.ndarray:
    """The addresses of the lanes that take part."""
    if access.mask is None:
        return access.pointers.ravel()
    shape = np.broadcast_shapes(access.pointers.shape, access.mask.shape)
    return np.broadcast_to(access.pointers, shape)[np.broadcast_to(access.mask, shape).astype(bool)]
