import math
import random

import pytest
import torch

from clozekit.grading import mistake, reference

# blocks, reach, global blocks
MASKS = {
    "neighbours alone": (6, 1, 0),
    "neighbours and a global block": (7, 1, 1),
    "two neighbours on each side and two global blocks": (9, 2, 2),
    "global blocks alone": (5, 0, 2),
    "each block alone": (4, 0, 0),
    "a reach beyond the text": (3, 5, 0),
}

# blocks, tokens of a block, tokens that the last one lacks
SIZES = {
    "whole blocks": (5, 3, 0),
    "a shorter last block": (4, 3, 1),
    "one token in the last block": (4, 3, 2),
    "blocks of one token": (6, 1, 0),
    "a block longer than the text": (1, 5, 2),
}

TEXTS = {"short text": 8, "long text": 16}  # blocks

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def draw(n=5, block=3, short=1, b=2, h=3, d=7, dtype=torch.float32):
    """q, k, v, each [b, h, n * block - short, d]; scores of about 2, so that the softmax is far from even."""
    return torch.randn(3, b, h, n * block - short, d).mul_(1.4).to(dtype)


def draw_mask(n, share=0.4):
    """[n, n]; some block is active in each row, and of several blocks not all are."""
    mask = torch.rand(n, n) < share
    mask[torch.arange(n), torch.randint(n, (n,))] = True
    if n > 1:
        mask[0], mask[:, 0] = (
            torch.arange(n) == n - 1,
            torch.arange(n) > 0,
        )  # neither symmetric nor always the own block
    return mask


def draw_sparse(n):
    """[n, n], of one row in which all blocks are active, and one or two in the others."""
    mask = torch.rand(n, n) < 0.5 / n
    mask[torch.arange(n), torch.randperm(n)] = True
    mask[random.randrange(n)] = True
    return mask


@pytest.mark.parametrize("case", MASKS)
def test_local_and_global_blocks(check, case):
    check("local_global_mask", *MASKS[case])


@pytest.mark.parametrize("case", SIZES)
def test_attention(check, case):
    n, block, short = SIZES[case]
    check("block_sparse_attention", *draw(n, block, short), draw_mask(n), block)


def test_local_and_global_attention(check):
    near = (torch.arange(6)[:, None] - torch.arange(6)).abs() <= 1
    near[0] = near[:, 0] = True
    check("block_sparse_attention", *draw(6), near, 3)


def test_blocks_of_queries_without_active_blocks(check):
    mask = draw_mask(5)
    mask[1] = mask[4] = False
    check("block_sparse_attention", *draw(), mask, 3)


def test_nothing_active(check):
    check("block_sparse_attention", *draw(2), torch.zeros(2, 2, dtype=torch.bool), 3)


@pytest.mark.parametrize("case", DTYPES)
def test_half_precision(check, case):
    check("block_sparse_attention", *draw(dtype=DTYPES[case]), draw_mask(5), 3)


def test_inactive_blocks_score_far_higher(check):
    """Key j scores about 5000 j - 80,000 with every query, and the last blocks are never active."""
    q, k, v = draw()
    q[..., 0] = math.sqrt(7)
    k[..., 0] = 5000 * torch.arange(14) - 80_000
    mask = torch.ones(5, 5, dtype=torch.bool).tril()
    mask[:, 3:] = False
    check("block_sparse_attention", q, k, v, mask, 3)


def test_non_contiguous_inputs(check):
    """As a projection splits its heads: [b, t, h, d] transposed."""
    q, k, v = (x.transpose(1, 2).contiguous().transpose(1, 2) for x in draw())
    check("block_sparse_attention", q, k, v, draw_mask(5).T.contiguous().T, 3)


def test_gradients(check):
    check("block_sparse_attention", *draw(), draw_mask(5), 3, gradients=True)


def test_gradients_without_active_blocks(check):
    mask = draw_mask(5)
    mask[1] = mask[4] = False
    check("block_sparse_attention", *draw(), mask, 3, gradients=True)


@pytest.mark.parametrize("text", TEXTS)
def test_cost_where_one_row_sees_all(check, text):
    """The longest row says nothing of the others."""
    n, block = TEXTS[text], random.randint(3, 5)
    check("block_sparse_attention", *draw(n, block, 1, 1, 1, 16), draw_sparse(n), block, measured=True)


def test_cost_where_all_rows_see_as_much(check):
    """So far apart that what lies between them is seen in the cost."""
    own = torch.eye(10, dtype=torch.bool)
    mask = own | own.roll(random.randint(4, 6), dims=1)
    check("block_sparse_attention", *draw(10, 3, 1, 1, 1, 16), mask, 3, measured=True)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """One call after the other, so that what one leaves behind is wrong for the next: two masks for each size."""
    half = random.choice([*DTYPES.values()])
    for dtype, n, block, d in ((torch.float32, random.randint(6, 8), random.randint(9, 12), 33), (half, 7, 11, 2)):
        sizes = n, block, random.randint(0, block - 1), random.randint(2, 3), random.randint(4, 5), d
        for share in (0.2, 0.6):
            args = *draw(*sizes, dtype=dtype), draw_mask(n, share), block
            check("block_sparse_attention", *args, gradients=dtype == torch.float32)
    n = random.randint(17, 20)
    mask = draw_mask(n, 0.1)
    mask[random.randrange(n)] = False
    check("block_sparse_attention", *draw(n, 2, 1, 1, 1, 5), mask, 2)


@pytest.mark.hidden
def test_masks_drawn_anew(check):
    for _ in range(3):
        n = random.randint(20, 40)
        check("local_global_mask", n, random.randint(2, 9), random.randint(1, 6))


@reference("local_global_mask")
def block_by_block(n, reach, num_global):
    return torch.tensor([[abs(i - j) <= reach or min(i, j) < num_global for j in range(n)] for i in range(n)])


@reference("block_sparse_attention")
def all_pairs(q, k, v, block_mask, block):
    """Every score, those of tokens in inactive blocks hidden."""
    home = torch.arange(q.shape[2]) // block  # the block of each token
    visible = block_mask[home][:, home]
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
    some = visible.any(-1, keepdim=True)
    return scores.masked_fill(~visible & some, -math.inf).softmax(-1).masked_fill(~visible, 0) @ v


@mistake(blank="local")
def one_short_of_the_reach(block, reach):
    near = (block[:, None] - block).abs() < max(reach, 1)


@mistake(blank="local")
def half_of_the_reach(block, reach):
    near = (block[:, None] - block).abs() <= reach // 2


@mistake(blank="local")
def earlier_blocks_only(block, reach):
    back = block[:, None] - block
    near = (back >= 0) & (back <= reach)


@mistake(blank="global")
def seen_by_all_only(block, near, num_global):
    everywhere = block < num_global
    return near | everywhere


@mistake(blank="global")
def see_all_only(block, near, num_global):
    everywhere = block < num_global
    return near | everywhere[:, None]


@mistake(blank="global")
def global_blocks_among_themselves(block, near, num_global):
    everywhere = block < num_global
    return near | (everywhere & everywhere[:, None])


@mistake(blank="global")
def one_global_block_too_many(block, near, num_global):
    everywhere = block <= num_global
    return near | everywhere | everywhere[:, None]


@mistake(blank="global")
def forgets_global_blocks(near):
    return near


@mistake("block_sparse_attention")
def computes_every_score(q, k, v, block_mask, block):
    t, d = q.shape[2:]
    visible = block_mask.repeat_interleave(block, 0).repeat_interleave(block, 1)[:t, :t]
    scores = q @ k.mT / math.sqrt(d)
    some = visible.any(dim=-1, keepdim=True)
    return scores.masked_fill(~visible & some, -math.inf).softmax(dim=-1).masked_fill(~visible, 0) @ v


@mistake("block_sparse_attention")
def pads_to_the_longest_row(q, k, v, block_mask, block):
    t, d = q.shape[2:]
    q, k, v = (torch.nn.functional.pad(x, (0, 0, 0, -t % block)).unflatten(2, (-1, block)) for x in (q, k, v))
    count, order = block_mask.sum(1).max(), block_mask.int().argsort(dim=1, descending=True)
    order = order[:, :count]  # [n, count], active blocks first
    exists = (order[..., None] * block + torch.arange(block) < t) & block_mask.gather(1, order)[..., None]
    exists = exists.flatten(1)[:, None]  # [n, 1, count * block]
    keys, values = k[:, :, order].flatten(3, 4), v[:, :, order].flatten(3, 4)
    scores = q @ keys.mT / math.sqrt(d)
    some = exists.any(dim=-1, keepdim=True)
    weights = scores.masked_fill(~exists & some, -math.inf).softmax(dim=-1).masked_fill(~exists, 0)
    return (weights @ values).flatten(2, 3)[:, :, :t]


@mistake(blank="gather")
def transposed_mask(block_mask, i, block, t, k, v):
    chosen = block_mask[:, i].repeat_interleave(block)[:t]
    keys, values = k[:, :, chosen], v[:, :, chosen]


@mistake(blank="gather")
def tiles_the_mask(active, block, t, k, v):
    chosen = active.repeat(block)[:t]
    keys, values = k[:, :, chosen], v[:, :, chosen]


@mistake(blank="gather")
def needs_whole_blocks(active, block, k, v):
    chosen = active.repeat_interleave(block)
    keys, values = k[:, :, chosen], v[:, :, chosen]


@mistake(blank="gather")
def always_its_own_block(active, block, t, i, k, v):
    own = torch.arange(len(active)) == i
    chosen = (active | own).repeat_interleave(block)[:t]
    keys, values = k[:, :, chosen], v[:, :, chosen]


@mistake(blank="gather")
def inactive_blocks_are_zeros(active, block, t, k, v):
    chosen = active.repeat_interleave(block)[:t]
    keys, values = k * chosen[:, None], v * chosen[:, None]


@mistake("block_sparse_attention")
def padding_counts(q, k, v, block_mask, block):
    t, d = q.shape[2:]
    q, k, v = (torch.nn.functional.pad(x, (0, 0, 0, -t % block)).unflatten(2, (-1, block)) for x in (q, k, v))
    rows = []
    for i, active in enumerate(block_mask):
        keys, values = k[:, :, active].flatten(2, 3), v[:, :, active].flatten(2, 3)
        rows.append((q[:, :, i] @ keys.mT / math.sqrt(d)).softmax(dim=-1) @ values)
    return torch.cat(rows, dim=2)[:, :, :t]


@mistake("block_sparse_attention")
def a_softmax_for_each_block(q, k, v, block_mask, block):
    d = q.shape[-1]
    queries, keys, values = q.split(block, dim=2), k.split(block, dim=2), v.split(block, dim=2)
    rows = []
    for i, active in enumerate(block_mask):
        row = torch.zeros_like(queries[i])
        for j in active.nonzero().flatten().tolist():
            row = row + (queries[i] @ keys[j].mT / math.sqrt(d)).softmax(dim=-1) @ values[j]
        rows.append(row)
    return torch.cat(rows, dim=2)


@mistake("block_sparse_attention")
def an_average_of_blocks(q, k, v, block_mask, block):
    d = q.shape[-1]
    queries, keys, values = q.split(block, dim=2), k.split(block, dim=2), v.split(block, dim=2)
    rows = []
    for i, active in enumerate(block_mask):
        row = torch.zeros_like(queries[i])
        for j in active.nonzero().flatten().tolist():
            row = row + (queries[i] @ keys[j].mT / math.sqrt(d)).softmax(dim=-1) @ values[j]
        rows.append(row / active.sum().clamp(min=1))
    return torch.cat(rows, dim=2)


@mistake("block_sparse_attention")
def exponentials_overflow(q, k, v, block_mask, block):
    t, d = q.shape[2:]
    rows = []
    for i, active in enumerate(block_mask):
        chosen = active.repeat_interleave(block)[:t]
        weights = (q[:, :, i * block : (i + 1) * block] @ k[:, :, chosen].mT / math.sqrt(d)).exp()
        total = weights.sum(dim=-1, keepdim=True)
        rows.append(weights / torch.where(total == 0, 1, total) @ v[:, :, chosen])
    return torch.cat(rows, dim=2)


@mistake("block_sparse_attention")
def nan_without_active_blocks(q, k, v, block_mask, block):
    t, d = q.shape[2:]
    rows = []
    for i, active in enumerate(block_mask):
        chosen = active.repeat_interleave(block)[:t]
        weights = (q[:, :, i * block : (i + 1) * block] @ k[:, :, chosen].mT / math.sqrt(d)).softmax(dim=-1)
        rows.append(weights @ v[:, :, chosen] / weights.sum(dim=-1, keepdim=True))
    return torch.cat(rows, dim=2)


@mistake("block_sparse_attention")
def leaves_out_rows_without_active_blocks(q, k, v, block_mask, block):
    t, d = q.shape[2:]
    rows = []
    for i, active in enumerate(block_mask):
        if active.any():
            chosen = active.repeat_interleave(block)[:t]
            scores = q[:, :, i * block : (i + 1) * block] @ k[:, :, chosen].mT / math.sqrt(d)
            rows.append(scores.softmax(dim=-1) @ v[:, :, chosen])
    return torch.cat(rows, dim=2)


@mistake("block_sparse_attention")
def nan_in_the_gradient(q, k, v, block_mask, block):
    t, d = q.shape[2:]
    rows = []
    for i, active in enumerate(block_mask):
        seen = active if active.any() else torch.ones_like(active)
        chosen = seen.repeat_interleave(block)[:t]
        scores = q[:, :, i * block : (i + 1) * block] @ k[:, :, chosen].mT / math.sqrt(d)
        bias = scores.new_zeros(scores.shape[-1]).masked_fill(~active.repeat_interleave(block)[:t][chosen], -math.inf)
        rows.append((scores + bias).softmax(dim=-1).nan_to_num() @ v[:, :, chosen])
    return torch.cat(rows, dim=2)


@mistake(blank="attend")
def forgets_scale(q, i, block, keys, values, rows):
    scores = q[:, :, i * block : (i + 1) * block] @ keys.mT
    rows.append(scores.softmax(dim=-1) @ values)


@mistake(blank="attend")
def scales_by_the_block(q, i, block, keys, values, rows):
    scores = q[:, :, i * block : (i + 1) * block] @ keys.mT / math.sqrt(block)
    rows.append(scores.softmax(dim=-1) @ values)
