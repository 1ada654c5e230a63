"""Block-sparse attention beside torch's own with the mask of all pairs, and beside BigBird's shape of a mask."""

import pytest
import torch
import torch.nn.functional as F
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

ID = "attention/block_sparse_attention"


@pytest.mark.parametrize(("n", "block", "short"), [(5, 3, 0), (4, 3, 2), (6, 1, 0), (1, 5, 2), (12, 8, 5)])
def test_torch(kit, n, block, short):
    solution, grader = kit(ID)
    t = n * block - short
    q, k, v = torch.randn(3, 2, 3, t, 8, dtype=torch.float64)
    mask = torch.rand(n, n) < 0.4
    mask[torch.arange(n), torch.randint(n, (n,))] = True
    pairs = mask.repeat_interleave(block, 0).repeat_interleave(block, 1)[:t, :t]
    theirs = F.scaled_dot_product_attention(q, k, v, attn_mask=pairs)
    torch.testing.assert_close(solution.block_sparse_attention(q, k, v, mask, block), theirs)
    torch.testing.assert_close(grader.all_pairs(q, k, v, mask, block), theirs)


def test_flex_attention(kit):
    """It gives 0 to queries without keys as well."""
    solution, _ = kit(ID)
    q, k, v = torch.randn(3, 2, 3, 40, 16)
    mask = torch.rand(5, 5) < 0.4
    mask[2] = False
    blocks = create_block_mask(lambda b, h, i, j: mask[i // 8, j // 8], None, None, 40, 40, device="cpu", BLOCK_SIZE=8)
    theirs = flex_attention(q, k, v, block_mask=blocks)
    torch.testing.assert_close(solution.block_sparse_attention(q, k, v, mask, 8), theirs, rtol=1e-4, atol=1e-5)
    assert not theirs[:, :, 16:24].any()


@pytest.mark.parametrize(("n", "reach", "num_global"), [(8, 1, 1), (16, 2, 3), (5, 0, 0)])
def test_the_mask_is_a_band_with_full_rows_and_columns(kit, n, reach, num_global):
    solution, _ = kit(ID)
    theirs = torch.ones(n, n).triu(-reach).tril(reach).bool()
    theirs[:num_global] = theirs[:, :num_global] = True
    assert torch.equal(solution.local_global_mask(n, reach, num_global), theirs)
