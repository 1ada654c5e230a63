"""Where LayerNorm stands, held against torch's layer without its attention; and what it does to gradients, by depth."""

from types import ModuleType

import pytest
import torch
from torch import Tensor, nn


@pytest.mark.parametrize("placement", ["post", "pre"])
def test_one_block(kit, placement):
    """torch's layer has attention before its feed-forward network; without an output projection it adds nothing."""
    solution, _ = kit("normalization/pre_post_norm")
    ours = solution.ResidualBlock(12, 20, placement).double()
    theirs = nn.TransformerEncoderLayer(12, 3, 20, 0.0, batch_first=True, norm_first=placement == "pre").double()
    for parameter in (theirs.self_attn.out_proj.weight, theirs.self_attn.out_proj.bias):
        parameter.data.zero_()
    for own, other in (("fc1", "linear1"), ("fc2", "linear2"), ("norm", "norm2")):
        getattr(ours, own).weight.data += 0.3
        getattr(theirs, other).load_state_dict(getattr(ours, own).state_dict())
    x = torch.randn(2, 5, 12).double()
    if placement == "post":  # its first LayerNorm is around a sum with nothing: ours is given what that leaves
        x = theirs.norm1(x)
        theirs.norm1 = nn.Identity()
    torch.testing.assert_close(ours(x), theirs(x))


def gradients(solution: ModuleType, placement: str, depth: int) -> Tensor:
    """Of the second matrix of each block, at the start of training: the mean of 8 stacks, each with Xavier's weights."""
    norms = torch.zeros(depth)
    for seed in range(8):
        torch.manual_seed(seed)
        stack = solution.Stack(16, 64, depth, placement)
        for block in stack.blocks:
            for layer in block.fc1, block.fc2:
                nn.init.xavier_normal_(layer.weight)
                nn.init.zeros_(layer.bias)
        y = stack(torch.randn(64, 16))
        (y * torch.randn_like(y)).mean().backward()
        norms += torch.stack([block.fc2.weight.grad.norm() for block in stack.blocks]) / 8
    return norms


def test_the_gradient_of_the_last_block_shrinks_with_depth_in_pre_norm_only(kit):
    """Theorem 1 of Xiong et al.: of order 1 in post-LN and 1/sqrt(depth) in pre-LN. From 4 to 64 blocks: 1 and 1/4."""
    solution, _ = kit("normalization/pre_post_norm")

    def ratio(placement: str) -> Tensor:
        return gradients(solution, placement, 64)[-1] / gradients(solution, placement, 4)[-1]

    assert 0.8 < ratio("post") < 1.25
    assert 0.2 < ratio("pre") < 0.5


def test_the_gradient_of_the_first_block_is_bounded_in_pre_norm(kit):
    solution, _ = kit("normalization/pre_post_norm")
    first = [gradients(solution, "pre", depth)[0] for depth in (4, 16, 64)]
    assert max(first) < 2 * min(first)
