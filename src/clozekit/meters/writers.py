"""Who wrote what: places that two programs of one launch store to, and loads of memory that nobody has written.

    total = torch.empty(rows)                   nobody has written it
    tl.atomic_add(total_ptr + row, part)        what it adds to is anything: unwritten_bytes
    tl.store(y_ptr + col, x)                    every row to the same place: write_conflicts, and the last one wins

Known only where all programs run. Stores to one place may all be of the same value, which is no mistake.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from clozekit.kernels.bounds import Access, Argument
from clozekit.kernels.record import UNDEFINED

LIMIT = 1 << 26  # bytes of a tensor, or elements of an argument, that are remembered one by one


class Writers:
    """Watches the programs of a call's launches."""

    def __init__(self) -> None:
        self.blank: dict[int, np.ndarray] = {}  # of tensors whose contents were undefined: which bytes are written
        self.stored: dict[Argument, np.ndarray] = {}  # in this launch: the number of the program, or 0
        self.conflicts = self.unwritten = 0

    def allocated(self, start: int, size: int) -> None:
        """New memory, its contents undefined."""
        if 0 < size <= LIMIT:
            self.blank[start] = np.zeros(size, bool)

    def defined(self, start: int, size: int) -> None:
        """Memory that somebody filled who is no kernel."""
        for first, written in self.blank.items():
            if start < first + written.size and first < start + size:
                written[max(0, start - first) : max(0, start + size - first)] = True

    def launched(self) -> None:
        """A launch begins."""
        self.stored.clear()
        self.conflicts = self.unwritten = 0

    def touched(self, program: int, access: Access, lanes: np.ndarray) -> None:
        """One access of one program, by the lanes that take part; programs are numbered from 1."""
        if access.kind != "store":
            self._load(access, lanes)
        if access.kind != "load":
            for first, written in self._around(lanes):
                at = (lanes - np.uint64(first)).astype(np.int64)
                for byte in range(access.size):
                    written[at + byte] = True
        if access.kind == "store" and access.argument is not None:
            self._store(program, access.argument, lanes)

    def _load(self, access: Access, lanes: np.ndarray) -> None:
        for first, written in self._around(lanes):
            at = (lanes - np.uint64(first)).astype(np.int64)
            self.unwritten += access.size * int(np.count_nonzero(~written[at]))

    def _around(self, lanes: np.ndarray) -> Iterable[tuple[int, np.ndarray]]:
        low, high = int(lanes.min()), int(lanes.max())
        return [(first, each) for first, each in self.blank.items() if first <= low and high < first + each.size]

    def _store(self, program: int, argument: Argument, lanes: np.ndarray) -> None:
        elements = (argument.stop - argument.start) // argument.size
        if elements > LIMIT:
            return
        by = self.stored.setdefault(argument, np.zeros(elements, np.int32))
        at = ((lanes - np.uint64(argument.start)) // np.uint64(argument.size)).astype(np.int64)
        self.conflicts += int(np.count_nonzero((by[at] != 0) & (by[at] != program)))
        by[at] = program


class Allocations(TorchDispatchMode):
    """Tells of what torch allocates and fills meanwhile."""

    def __init__(self, writers: Writers):
        super().__init__()
        self.writers = writers

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # to be skipped, a mode imports torch._dynamo: a second

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func._schema.name.removeprefix("aten::") if hasattr(func, "_schema") else ""
        is_view = name.startswith("prim") or any(each.alias_info for each in func._schema.returns) if name else False
        written = bool(name) and func._schema.is_mutable
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor) and leaf.device.type == "cpu" and leaf.numel():
                storage = leaf.untyped_storage()
                if name in UNDEFINED:
                    self.writers.allocated(storage.data_ptr(), storage.nbytes())
                elif written or not is_view:
                    self.writers.defined(storage.data_ptr(), storage.nbytes())
        return result
