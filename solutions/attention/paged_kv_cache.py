import math

import torch
from torch import Tensor


class PagedKVCache:
    """Keys and values of many sequences in one pool of blocks."""

    def __init__(self, num_blocks: int, block_size: int, h: int, head_dim: int) -> None:
        self.block_size = block_size
        self.keys = torch.zeros(num_blocks, block_size, h, head_dim)
        self.values = torch.zeros_like(self.keys)
        self.unused = list(range(num_blocks))  # in ascending order
        self.tables: dict[int, list[int]] = {}  # of each sequence its blocks, in the order of its text
        self.lengths: dict[int, int] = {}  # of each sequence its number of tokens

    def append(self, seq: int, k: Tensor, v: Tensor) -> list[int]:
        """k, v [n, h, head_dim] of the next n tokens of a sequence -> its block table."""
        # BLANK allocate
        table = self.tables.setdefault(seq, [])
        start = self.lengths.get(seq, 0)
        end = self.lengths[seq] = start + k.shape[0]
        while len(table) * self.block_size < end:  # only when the last block is full
            table.append(self.unused.pop(0))
        # END
        # BLANK write
        slots = self.slots(seq, start, end)
        self.keys.flatten(0, 1)[slots] = k  # a slot is one token of the pool
        self.values.flatten(0, 1)[slots] = v
        # END
        return list(table)

    def slots(self, seq: int, start: int, end: int) -> Tensor:
        """Where in the pool the tokens at positions start … end - 1 of a sequence lie, [end - start]."""
        # BLANK slots
        position = torch.arange(start, end)
        block = torch.tensor(self.tables[seq])[position // self.block_size]
        return block * self.block_size + position % self.block_size
        # END

    def gather(self, seq: int) -> tuple[Tensor, Tensor]:
        """All keys and values of a sequence in the order of its text, each [total, h, head_dim]."""
        # BLANK gather
        slots = self.slots(seq, 0, self.lengths[seq])  # the last block may be partly filled
        return self.keys.flatten(0, 1)[slots], self.values.flatten(0, 1)[slots]
        # END

    def attend(self, seq: int, q: Tensor) -> Tensor:
        """q [h, head_dim] of the newest token, over all tokens of its sequence -> [h, head_dim]."""
        # BLANK attend
        keys, values = self.gather(seq)
        scores = torch.einsum("hd,thd->ht", q, keys) / math.sqrt(q.shape[-1])
        return torch.einsum("ht,thd->hd", scores.softmax(dim=-1), values)
        # END

    def free(self, seq: int) -> int:
        """A sequence has ended -> how many blocks are unused now."""
        # BLANK free
        self.unused = sorted(self.unused + self.tables.pop(seq))
        del self.lengths[seq]
        return len(self.unused)
        # END

    def block(self, number: int) -> tuple[Tensor, Tensor]:
        """What lies in one block of the pool: keys and values, each [block_size, h, head_dim]."""
        return self.keys[number].clone(), self.values[number].clone()
