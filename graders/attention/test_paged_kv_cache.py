import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference

# block_size, and how many tokens each append brings.
CHUNKS = {
    "within a block": (8, [2, 3]),
    "exactly one block": (4, [4]),
    "across blocks": (4, [3, 6, 1, 2]),
    "token by token": (2, [1, 1, 1, 1, 1]),
    "blocks of one token": (1, [3, 1, 2]),
}

POOLS = {"small pool": (12, 16), "large pool": (100, 120)}  # blocks; drawn, so that no size is known to be measured


class Pool:
    """A cache under test, and beside it what each sequence has said and which blocks it must have."""

    def __init__(self, check, num_blocks=9, block_size=4, h=2, head_dim=5):
        self.check, self.block_size, self.shape = check, block_size, (h, head_dim)
        self.cache = check.new("PagedKVCache", num_blocks=num_blocks, block_size=block_size, h=h, head_dim=head_dim)
        self.unused = set(range(num_blocks))
        self.tables, self.texts = {}, {}

    def append(self, seq, n, measured=False):
        new = torch.randn(2, n, *self.shape)
        text = torch.cat([self.texts.get(seq, new[:, :0]), new], dim=1)
        table = self.tables.setdefault(seq, [])
        for _ in range(math.ceil(text.shape[1] / self.block_size) - len(table)):
            table.append(min(self.unused))
            self.unused.remove(table[-1])
        self.texts[seq] = text
        self.check(self.cache.append, seq, *new, returns=[*table], measured=measured)

    def gather(self, seq):
        self.check(self.cache.gather, seq, like=tuple(self.texts[seq]))

    def attend(self, seq, q=None, measured=False):
        q = 2 * torch.randn(self.shape) if q is None else q
        self.check(self.cache.attend, seq, q, like=(q, *self.texts[seq]), measured=measured)

    def free(self, seq):
        self.unused |= {*self.tables.pop(seq)}
        del self.texts[seq]
        self.check(self.cache.free, seq, returns=len(self.unused))

    def block(self, number):
        """What lies in it; only of blocks that had no earlier owner."""
        found = torch.zeros(2, self.block_size, *self.shape)
        for seq, table in self.tables.items():
            if number in table:
                at = table.index(number) * self.block_size
                filled = self.texts[seq][:, at : at + self.block_size]
                found[:, : filled.shape[1]] = filled
        self.check(self.cache.block, number, like=tuple(found))


@pytest.mark.parametrize("case", CHUNKS)
def test_append_in_chunks(check, case):
    block_size, counts = CHUNKS[case]
    pool = Pool(check, block_size=block_size)
    for n in counts:
        pool.append(7, n)
        pool.gather(7)


def test_what_lies_where(check):
    pool = Pool(check, num_blocks=7, block_size=3)
    for seq, n in ((4, 2), (0, 4), (4, 6), (0, 1)):
        pool.append(seq, n)
    for number in range(7):
        pool.block(number)


def test_sequences_in_turn(check):
    pool = Pool(check, block_size=3)
    for seq, n in ((5, 4), (2, 1), (5, 1), (8, 3), (2, 5), (5, 3), (8, 1)):
        pool.append(seq, n)
    for seq in (2, 5, 8):
        pool.gather(seq)
        pool.attend(seq)


def test_a_pool_filled_to_the_last_place(check):
    pool = Pool(check, num_blocks=6, block_size=4)
    for seq, n in ((1, 4), (2, 7), (3, 8), (2, 1), (1, 4)):
        pool.append(seq, n)
    for seq in (1, 2, 3):
        pool.gather(seq)
    pool.free(3)
    pool.free(1)
    pool.append(2, 5)
    pool.gather(2)


def test_freed_blocks_come_first_where_they_are_the_smallest(check):
    pool = Pool(check, block_size=2)
    for seq, n in ((1, 3), (2, 1), (3, 3)):
        pool.append(seq, n)
    pool.free(1)
    pool.free(3)
    for seq, n in ((2, 3), (4, 5)):
        pool.append(seq, n)
        pool.gather(seq)
        pool.attend(seq)


def test_a_number_begins_another_sequence(check):
    pool = Pool(check, block_size=4)
    pool.append(1, 6)
    pool.append(2, 3)
    pool.free(1)
    for n in (2, 3):
        pool.append(1, n)
        pool.gather(1)
    pool.attend(1)
    pool.gather(2)


def test_what_was_gathered_stays(check):
    """As one block, it could be a part of the pool."""
    pool = Pool(check, num_blocks=4, block_size=4)
    pool.append(1, 4)
    pool.gather(1)
    pool.free(1)
    pool.append(2, 4)
    pool.gather(2)


@pytest.mark.parametrize(("n", "h"), [(7, 3), (1, 2), (4, 2)], ids=["across blocks", "a single token", "a full block"])
def test_attend(check, n, h):
    pool = Pool(check, h=h)
    pool.append(3, 2)
    pool.append(1, n)
    pool.attend(1)


def test_scores_in_the_thousands(check):
    pool = Pool(check)
    pool.append(1, 6)
    pool.attend(1, 3000 * torch.randn(pool.shape))


def test_non_contiguous_inputs(check):
    """As a projection gives them, heads before tokens."""
    pool = Pool(check, block_size=3)
    k, v = (torch.randn(2, 5, 5).transpose(0, 1) for _ in range(2))
    check(pool.cache.append, 1, k, v, returns=[0, 1])
    q = torch.randn(5, 2).T
    check(pool.cache.attend, 1, q, like=(q, k, v))


def test_two_caches(check):
    one, other = Pool(check), Pool(check)
    for pool, seq, n in ((one, 1, 5), (other, 1, 3), (one, 2, 2), (other, 1, 4)):
        pool.append(seq, n)
    for pool in (one, other):
        pool.gather(1)


@pytest.mark.parametrize("size", POOLS)
def test_cost(check, size):
    """Of one sequence among others; a cost that grows with the pool is too much at the second size."""
    pool = Pool(check, num_blocks=random.randint(*POOLS[size]), block_size=8, h=2, head_dim=16)
    for seq, n in ((3, 13), (6, 20)):
        pool.append(seq, n)
    pool.append(3, random.randint(1, 2), measured=True)
    pool.attend(3, measured=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Sequences come and go, in a pool that is large enough for what they need and no larger."""
    block_size, h, head_dim = random.randint(5, 7), random.randint(4, 6), random.randint(33, 40)
    pool = Pool(check, 4 * math.ceil(45 / block_size), block_size, h, head_dim)
    names = random.sample(range(1000, 9999), 4)
    for _ in range(3):
        for seq in random.sample(names, 4):
            pool.append(seq, random.randint(1, 20 - len(pool.texts.get(seq, [[]])[0]) // 3))
        pool.attend(names[0])
        pool.gather(names[1])
        pool.free(names[2])
        if len(pool.texts[names[0]][0]) > 20:
            pool.free(names[0])
    for seq in pool.texts:
        pool.gather(seq)


@reference("PagedKVCache.gather")
def in_order(k, v):
    return k, v


@reference("PagedKVCache.block")
def as_written(k, v):
    return k, v


@reference("PagedKVCache.attend")
def head_by_head(q, k, v):
    """Over contiguous keys and values, as if there were no pages."""
    heads = []
    for i in range(q.shape[0]):
        weights = torch.softmax(k[:, i] @ q[i] / math.sqrt(q.shape[1]), dim=0)
        heads.append(weights @ v[:, i])
    return torch.stack(heads)


@mistake("PagedKVCache.__init__")
def shares_state(self, num_blocks, block_size, h, head_dim, unused=[], tables={}, lengths={}):  # noqa: B006
    self.block_size = block_size
    self.keys = torch.zeros(num_blocks, block_size, h, head_dim)
    self.values = torch.zeros_like(self.keys)
    if not tables:
        unused[:] = range(num_blocks)
    self.unused, self.tables, self.lengths = unused, tables, lengths


@mistake(blank="allocate")
def a_block_for_every_append(self, seq, k):
    table = self.tables.setdefault(seq, [])
    start = self.lengths.get(seq, 0)
    end = self.lengths[seq] = start + k.shape[0]
    for _ in range(0, k.shape[0], self.block_size):
        table.append(self.unused.pop(0))


@mistake(blank="allocate")
def takes_a_block_too_early(self, seq, k):
    table = self.tables.setdefault(seq, [])
    start = self.lengths.get(seq, 0)
    end = self.lengths[seq] = start + k.shape[0]
    while len(table) <= end // self.block_size:
        table.append(self.unused.pop(0))


@mistake(blank="allocate")
def takes_the_largest_number(self, seq, k):
    table = self.tables.setdefault(seq, [])
    start = self.lengths.get(seq, 0)
    end = self.lengths[seq] = start + k.shape[0]
    while len(table) * self.block_size < end:
        table.append(self.unused.pop())


@mistake(blank="allocate")
def never_takes_freed_blocks(self, seq, k):
    table = self.tables.setdefault(seq, [])
    start = self.lengths.get(seq, 0)
    end = self.lengths[seq] = start + k.shape[0]
    while len(table) * self.block_size < end:
        self.taken = getattr(self, "taken", 0) + 1
        table.append(self.taken - 1)
        if self.taken - 1 in self.unused:
            self.unused.remove(self.taken - 1)


@mistake(blank="free")
def freed_blocks_in_any_order(self, seq):
    self.unused = self.unused + self.tables.pop(seq)
    del self.lengths[seq]
    return len(self.unused)


@mistake(blank="free")
def takes_the_last_freed(self, seq):
    self.unused = self.tables.pop(seq) + self.unused
    del self.lengths[seq]
    return len(self.unused)


@mistake(blank="slots")
def runs_into_the_next_block(self, seq, start, end):
    first = self.tables[seq][start // self.block_size] * self.block_size + start % self.block_size
    return (first + torch.arange(end - start)).clamp(max=self.keys.shape[0] * self.block_size - 1)


@mistake(blank="slots")
def logical_block_for_physical(start, end):
    return torch.arange(start, end)


@mistake(blank="write")
def place_from_the_start_of_the_append(self, seq, k, v, table, start, end):
    position = torch.arange(start, end)
    slots = torch.tensor(table)[position // self.block_size] * self.block_size
    slots = slots + torch.arange(end - start) % self.block_size
    self.keys.flatten(0, 1)[slots] = k
    self.values.flatten(0, 1)[slots] = v


@mistake(blank="gather")
def gathers_whole_blocks(self, seq):
    table = self.tables[seq]
    return self.keys[table].flatten(0, 1), self.values[table].flatten(0, 1)


@mistake(blank="gather")
def gathers_in_order_of_numbers(self, seq):
    slots = self.slots(seq, 0, self.lengths[seq])
    slots = torch.cat([part for _, part in sorted((int(part[0]), part) for part in slots.split(self.block_size))])
    return self.keys.flatten(0, 1)[slots], self.values.flatten(0, 1)[slots]


@mistake(blank="gather")
def gathers_views(self, seq):
    slots = self.slots(seq, 0, self.lengths[seq])
    if len(self.tables[seq]) == 1:
        part = slice(int(slots[0]), int(slots[-1]) + 1)
        return self.keys.flatten(0, 1)[part], self.values.flatten(0, 1)[part]
    return self.keys.flatten(0, 1)[slots], self.values.flatten(0, 1)[slots]


@mistake(blank="attend")
def forgets_scale(self, seq, q):
    keys, values = self.gather(seq)
    scores = torch.einsum("hd,thd->ht", q, keys)
    return torch.einsum("ht,thd->hd", scores.softmax(dim=-1), values)


@mistake(blank="attend")
def attends_to_unused_places(self, seq, q):
    keys, values = self.keys[self.tables[seq]].flatten(0, 1), self.values[self.tables[seq]].flatten(0, 1)
    scores = torch.einsum("hd,thd->ht", q, keys) / math.sqrt(q.shape[-1])
    return torch.einsum("ht,thd->hd", scores.softmax(dim=-1), values)


@mistake(blank="attend")
def attends_to_the_whole_pool(self, seq, q):
    visible = torch.zeros(self.keys.shape[0] * self.block_size, dtype=torch.bool)
    visible[self.slots(seq, 0, self.lengths[seq])] = True
    scores = torch.einsum("hd,thd->ht", q, self.keys.flatten(0, 1)) / math.sqrt(q.shape[-1])
    weights = scores.masked_fill(~visible, -math.inf).softmax(dim=-1)
    return torch.einsum("ht,thd->hd", weights, self.values.flatten(0, 1))


@mistake(blank="write")
def keeps_the_pool_by_copies(self, seq, k, v, start, end):
    slots = self.slots(seq, start, end)
    self.keys, self.values = self.keys.clone(), self.values.clone()
    self.keys.flatten(0, 1)[slots] = k
    self.values.flatten(0, 1)[slots] = v


@mistake(blank="free")
def free_keeps_the_table(self, seq):
    self.unused = sorted(self.unused + self.tables[seq])
    return len(self.unused)


@mistake(blank="free")
def free_loses_the_blocks(self, seq):
    del self.tables[seq]
    del self.lengths[seq]
    return len(self.unused)


@mistake(blank="free")
def free_returns_its_own(self, seq):
    table = self.tables.pop(seq)
    self.unused = sorted(self.unused + table)
    del self.lengths[seq]
    return len(table)
