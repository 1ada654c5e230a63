"""Paged KV cache

A cache that reserves room for the longest possible text wastes most of it, and leaves holes
when sequences end. Paging does neither. The memory is one pool of num_blocks blocks, each
with room for the keys and values of block_size tokens. A sequence has a block table, the
list of its blocks: position p of its text lies in block table[p // block_size], at place
p % block_size. Neighbours in the text need not be neighbours in the pool. All that running
sequences need stays in memory; at most block_size − 1 places of each are unused.

PagedKVCache(num_blocks, block_size, h, head_dim)   all blocks unused and zero; several
                      caches do not affect each other
append(seq, k, v)     k, v [n, h, head_dim] of the next n ≥ 1 tokens of sequence `seq`, an
                      int; the first append begins it. Gives its block table, a new list of
                      ints. Only when its last block is full does it take another: of all
                      unused blocks the one with the smallest number. There are enough
gather(seq)           (k, v) of all its tokens in the order of the text, each [total, h,
                      head_dim], which do not change when the cache does
attend(seq, q)        q [h, head_dim] of its newest token; for each head
                      softmax(q Kᵀ / √head_dim) V over all its tokens, [h, head_dim]
free(seq)             it has ended: its blocks are unused again. Gives how many are unused
                      now, an int. The same number may later begin another sequence
block(number)         (k, v) in this block of the pool, each [block_size, h, head_dim]

Everything is float32; k, v and q need not be contiguous and must not be changed. Gradients
are not asked for.

What append and attend cost depends on the sequence, never on the size of the pool: the pool
is written in place, and other sequences are not read.

Source: Kwon et al. 2023, Efficient Memory Management for LLM Serving with PagedAttention, arXiv:2309.06180, §4.1 to 4.3
"""

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
        # TODO (5 lines): `table` of `seq`, with blocks for new positions `start` … `end` - 1; keep table and length
        raise NotImplementedError("allocate")
        # TODO (3 lines): the new tokens into the pool
        raise NotImplementedError("write")
        return list(table)

    def slots(self, seq: int, start: int, end: int) -> Tensor:
        """Where in the pool the tokens at positions start … end - 1 of a sequence lie, [end - start]."""
        # TODO (3 lines): for each position its place in the pool of num_blocks · block_size tokens, int64 [end - start]
        raise NotImplementedError("slots")

    def gather(self, seq: int) -> tuple[Tensor, Tensor]:
        """All keys and values of a sequence in the order of its text, each [total, h, head_dim]."""
        # TODO (2 lines): its tokens out of the pool, and nothing of what is unused
        raise NotImplementedError("gather")

    def attend(self, seq: int, q: Tensor) -> Tensor:
        """q [h, head_dim] of the newest token, over all tokens of its sequence -> [h, head_dim]."""
        # TODO (3 lines): scaled dot-product attention of q over all tokens of the sequence, head by head
        raise NotImplementedError("attend")

    def free(self, seq: int) -> int:
        """A sequence has ended -> how many blocks are unused now."""
        # TODO (3 lines): its blocks are unused, nothing is known of it; return how many blocks are unused
        raise NotImplementedError("free")

    def block(self, number: int) -> tuple[Tensor, Tensor]:
        """What lies in one block of the pool: keys and values, each [block_size, h, head_dim]."""
        return self.keys[number].clone(), self.values[number].clone()
