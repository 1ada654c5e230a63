"""models/flops_and_memory beside torch's FlopCounterMode, the bytes of a real optimizer and those of a real cache."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode
from transformers import GPT2Config, GPT2LMHeadModel

CFG = {"n_layers": 3, "d_model": 12, "n_heads": 3, "vocab": 29}
BATCH, T = 2, 7


class Block(nn.Module):
    """A block of a GPT; attention is written out, as its fused kernels are counted by rules of their own."""

    def __init__(self, d: int, heads: int):
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.up, self.down, self.norms = nn.Linear(d, 4 * d), nn.Linear(4 * d, d), nn.ModuleList(2 * [nn.LayerNorm(d)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(self.norms[0](x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        scores = (q @ k.mT).masked_fill(torch.ones(T, T).triu(1).bool(), -torch.inf)
        x = x + self.out((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.norms[1](x))))


@pytest.mark.parametrize("recompute", [False, True])
def test_operations_are_those_that_torch_counts(kit, recompute):
    solution, grader = kit("models/flops_and_memory")
    embedding, output = nn.Embedding(CFG["vocab"], CFG["d_model"]), nn.Linear(CFG["d_model"], CFG["vocab"], bias=False)
    blocks = [Block(CFG["d_model"], CFG["n_heads"]) for _ in range(CFG["n_layers"])]
    with FlopCounterMode(display=False) as counter:
        x = embedding(torch.randint(0, CFG["vocab"], (BATCH, T)))
        for block in blocks:
            x = checkpoint(block, x, use_reentrant=False, early_stop=False) if recompute else block(x)
        F.cross_entropy(output(x).flatten(0, 1), torch.randint(0, CFG["vocab"], (BATCH * T,))).backward()
    counted = counter.get_total_flops()
    assert solution.train_flops(CFG, BATCH, T, recompute) == counted
    assert grader.product_by_product(CFG, BATCH, T, recompute) == counted


def test_bytes_of_a_parameter_in_training(kit):
    """Half-precision weight and gradient, and what an optimizer of a float32 copy holds."""
    solution, _ = kit("models/flops_and_memory")
    half = nn.Linear(30, 20).half()
    half(torch.ones(2, 30).half()).sum().backward()
    master = [nn.Parameter(p.detach().float()) for p in half.parameters()]
    adam = torch.optim.Adam(master)
    for p in master:
        p.grad = torch.ones_like(p)
    adam.step()
    held = [*half.parameters(), *(p.grad for p in half.parameters()), *master]
    held += [value for state in adam.state.values() for name, value in state.items() if name != "step"]
    count = sum(p.numel() for p in master)
    without_blocks = CFG | {"n_params": count, "n_layers": 0}
    assert solution.memory_bytes(without_blocks, BATCH, T, "train") == sum(x.numel() * x.element_size() for x in held)


def test_bytes_of_a_cache(kit):
    solution, _ = kit("models/flops_and_memory")
    config = GPT2Config(vocab_size=29, n_positions=T, n_layer=3, n_embd=12, n_head=3)
    model = GPT2LMHeadModel(config).bfloat16().eval()
    cache = model(torch.randint(0, 29, (BATCH, T)), use_cache=True).past_key_values
    held = [*model.parameters(), *(x for layer in cache.layers for x in (layer.keys, layer.values))]
    cfg = CFG | {"n_params": sum(p.numel() for p in model.parameters())}
    assert solution.memory_bytes(cfg, BATCH, T, "generate") == sum(x.numel() * x.element_size() for x in held)
