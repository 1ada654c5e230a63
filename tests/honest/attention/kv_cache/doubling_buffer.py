"""A buffer that doubles when it is full, filled in place; the answer is a view of it."""

import torch
from torch import Tensor


class KVCache:
    __slots__ = ("_buffer", "_length")

    def __init__(self) -> None:
        self._buffer: Tensor | None = None  # [2, b, h, capacity, head_dim]
        self._length = 0

    @property
    def capacity(self) -> int:
        return 0 if self._buffer is None else self._buffer.size(3)

    def _grow(self, like: Tensor, needed: int) -> None:
        capacity = max(4, self.capacity)
        while capacity < needed:
            capacity *= 2
        b, h, _, d = like.shape
        bigger = like.new_empty(2, b, h, capacity, d)
        if self._buffer is not None:
            bigger[:, :, :, : self._length] = self._buffer[:, :, :, : self._length]
        self._buffer = bigger

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        start, end = self._length, self._length + k.size(2)
        if end > self.capacity:
            self._grow(k, end)
        assert self._buffer is not None
        self._buffer[0, :, :, start:end].copy_(k)
        self._buffer[1, :, :, start:end].copy_(v)
        self._length = end
        return self._buffer[0, :, :, :end], self._buffer[1, :, :, :end]

    def __len__(self) -> int:
        return self._length


def attend(q: Tensor, k: Tensor, v: Tensor, cache: KVCache) -> Tensor:
    keys, values = cache.append(k, v)
    n, total = q.size(2), len(cache)
    scores = torch.einsum("bhnd,bhtd->bhnt", q, keys) * q.size(3) ** -0.5
    if n > 1:
        future = torch.ones(n, total, dtype=torch.bool).triu(1 + total - n)
        scores.masked_fill_(future, -torch.inf)
    return torch.einsum("bhnt,bhtd->bhnd", scores.softmax(-1), values)
