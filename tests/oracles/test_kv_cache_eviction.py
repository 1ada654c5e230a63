"""The bounded cache beside full attention under a mask of the kept set, and beside a plain sliding window with sinks."""

import math

import pytest
import torch
import torch.nn.functional as F

ID = "attention/kv_cache_eviction"


@pytest.mark.parametrize(
    ("budget", "sinks", "recent"), [(6, 1, 2), (6, 2, 4), (6, 0, 3), (4, 0, 0), (1, 0, 1), (30, 1, 1)]
)
def test_masked_full_attention(kit, budget, sinks, recent):
    """Everything is kept and masked; who goes follows the words of H2O: the lightest of those that may."""
    solution, _ = kit(ID)
    q, k, v = torch.randn(3, 2, 3, 20, 8, dtype=torch.float64)
    cache = solution.BoundedCache(budget, sinks, recent)
    home, mass = torch.zeros(2, 3, 20, dtype=torch.bool), torch.zeros(2, 3, 20, dtype=torch.float64)
    for i in range(20):
        home[..., i] = True
        theirs = F.scaled_dot_product_attention(q[:, :, i : i + 1], k, v, attn_mask=home[:, :, None])
        ours = cache.step(*(x[:, :, i : i + 1] for x in (q, k, v)))
        torch.testing.assert_close(ours, theirs)
        assert len(cache) == min(i + 1, budget)
        scores = (q[:, :, i : i + 1] @ k.mT / math.sqrt(8))[:, :, 0]
        mass += scores.masked_fill(~home, -math.inf).softmax(-1)
        for head, there in zip(mass.flatten(0, 1), home.flatten(0, 1), strict=True):
            alive = there.nonzero().flatten().tolist()
            if len(alive) > budget:
                there[min(alive[sinks : len(alive) - recent], key=lambda slot: head[slot].item())] = False


def test_sinks_and_a_window_alone_are_a_mask_known_beforehand(kit):
    """StreamingLLM: nothing depends on what was attended to."""
    solution, _ = kit(ID)
    q, k, v = torch.randn(3, 1, 2, 15, 8)
    place = torch.arange(15)
    back = place[:, None] - place
    mask = (back >= 0) & ((back <= 4) | (place < 2))  # the newest comes to two sinks and four others
    theirs = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    cache = solution.BoundedCache(6, 2, 4)
    ours = [cache.step(*(x[:, :, i : i + 1] for x in (q, k, v))) for i in range(15)]
    torch.testing.assert_close(torch.cat(ours, dim=2), theirs)


def test_the_solution_evicts_what_the_reference_does(kit):
    solution, grader = kit(ID)
    for n, budget, sinks, recent in [(9, 5, 2, 2), (40, 7, 1, 2), (6, 6, 1, 2), (3, 6, 4, 2), (8, 3, 0, 0)]:
        mass = torch.rand(2, 3, n)
        assert torch.equal(solution.evict(mass, budget, sinks, recent), grader.evict(mass, budget, sinks, recent))
