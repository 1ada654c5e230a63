"""Tiles of any size beside torch's attention, and its logsumexp."""

import pytest
import torch
import torch.nn.functional as F


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("block_q", "block_k"), [(4, 4), (5, 3), (1, 7), (32, 32)])
def test_torch(kit, block_q, block_k, causal):
    solution, grader = kit("attention/tiled_attention")
    q, k, v = torch.randn(3, 2, 3, 19, 8)
    out, lse = solution.tiled_attention(q, k, v, block_q, block_k, causal)
    torch.testing.assert_close(out, F.scaled_dot_product_attention(q, k, v, is_causal=causal))
    fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(q, k, v, 0.0, causal)
    torch.testing.assert_close(lse, fused[1])
    torch.testing.assert_close(grader.all_at_once(q, k, v, block_q, block_k, causal), (out, lse))
