import random

import pytest
import torch
from torch import nn

from clozekit.grading import mistake, reference
from clozekit.grading.layers import draw_parameters, feed_forward, layer_norm

PLACEMENTS = "post", "pre", "sandwich"

# shape, scale of x, dtype
CASES = {
    "batch and time": ((2, 3, 8), 1, torch.float32),
    "one vector": ((8,), 1, torch.float32),
    "a stream that has grown": ((3, 8), 30, torch.float32),
    "a stream as small as eps": ((3, 8), 3e-3, torch.float32),
    "bfloat16": ((3, 16), 1, torch.bfloat16),
}


def draw(placement, d=8, d_ff=13, dtype=torch.float32):
    """The parameters of one block; what f makes is about as large as what LayerNorm makes."""
    norms = {"norm": d} | ({"out_norm": d} if placement == "sandwich" else {})
    return draw_parameters({"fc1": (d, d_ff), "fc2": (d_ff, d)}, norms, dtype)


def draw_stack(placement, depth, d=8, d_ff=13, dtype=torch.float32):
    """What `check.new` needs for a stack."""
    blocks = [draw(placement, d, d_ff, dtype) for _ in range(depth)]
    parameters = {f"blocks.{i}.{name}": value for i, block in enumerate(blocks) for name, value in block.items()}
    if placement != "post":
        parameters |= draw_parameters({}, {"norm": d}, dtype)
    config = {"d_model": d, "d_ff": d_ff, "depth": depth, "placement": placement}
    return {**config, "parameters": parameters}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_block(check, placement, case):
    shape, scale, dtype = CASES[case]
    d = shape[-1]
    parameters = draw(placement, d, dtype=dtype)
    if case == "a stream as small as eps":
        parameters["fc2.weight"], parameters["fc2.bias"] = (
            scale * parameters["fc2.weight"],
            scale * parameters["fc2.bias"],
        )
    block = check.new("ResidualBlock", d_model=d, d_ff=13, placement=placement, parameters=parameters)
    check(block, (scale * torch.randn(shape)).to(dtype))


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_stack(check, placement):
    check(check.new("Stack", **draw_stack(placement, 3)), torch.randn(2, 5, 8))


def test_a_stack_as_small_as_eps(check):
    """All that the blocks add is small as well, so that the last norm shows its eps."""
    config = draw_stack("pre", 2)
    config["parameters"] |= {
        name: 3e-3 * value for name, value in config["parameters"].items() if name.split(".")[-2] == "fc2"
    }
    check(check.new("Stack", **config), 3e-3 * torch.randn(3, 8))


@pytest.mark.parametrize("depth", [2, 12])
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_gradients_by_depth(check, placement, depth):
    """Of every block: at the first how they got through all the others, at the last how much its share is worth."""
    check(check.new("Stack", **draw_stack(placement, depth)), torch.randn(3, 8), gradients=True)


def test_a_non_contiguous_input(check):
    check(check.new("Stack", **draw_stack("pre", 2)), torch.randn(8, 5).T)


@pytest.mark.hidden
def test_sizes_drawn_anew(check):
    """Stacks of all placements in turn, of other widths, depths and dtypes."""
    stacks = []
    for placement in random.sample(PLACEMENTS, 3):
        d, dtype = random.randint(17, 40), random.choice([torch.float32, torch.float16])
        config = draw_stack(placement, random.randint(4, 7), d, random.randint(9, 60), dtype)
        stacks.append((check.new("Stack", **config), d, dtype))
    for turn, (stack, d, dtype) in enumerate((*stacks, *stacks)):
        shape = *random.choices([2, 3], k=random.randint(0, 2)), random.randint(3, 9), d
        check(stack, torch.randn(shape).to(dtype), gradients=dtype == torch.float32 and turn < 3)


@reference("ResidualBlock")
def block(parameters, x, *, d_model, d_ff, placement):
    """What goes on of x, what is added to it, and what becomes of the sum."""
    read = x if placement == "post" else layer_norm(parameters, "norm", x)
    added = feed_forward(parameters, "", read)
    added = layer_norm(parameters, "out_norm", added) if placement == "sandwich" else added
    return layer_norm(parameters, "norm", x + added) if placement == "post" else x + added


@reference("Stack")
def blocks(parameters, x, *, d_model, d_ff, depth, placement):
    for i in range(depth):
        own = {
            name.removeprefix(f"blocks.{i}."): value
            for name, value in parameters.items()
            if name.startswith(f"blocks.{i}.")
        }
        x = block(own, x, d_model=d_model, d_ff=d_ff, placement=placement)
    return x if placement == "post" else layer_norm(parameters, "norm", x)


@mistake(blank="post")
def post_normalises_f(self, x):
    return x + self.norm(self.f(x))


@mistake(blank="post")
def post_is_pre(self, x):
    return x + self.f(self.norm(x))


@mistake(blank="post")
def post_without_residual(self, x):
    return self.norm(self.f(x))


@mistake(blank="post")
def post_normalises_twice(self, x):
    x = self.norm(x)
    return self.norm(x + self.f(x))


@mistake(blank="pre")
def pre_is_post(self, x):
    return self.norm(x + self.f(x))


@mistake(blank="pre")
def residual_from_the_normalised(self, x):
    x = self.norm(x)
    return x + self.f(x)


@mistake("ResidualBlock.forward")
def residual_after_the_norm(self, x):
    if self.placement == "post":
        return self.norm(x + self.f(x))
    x = self.norm(x)
    return x + (self.f(x) if self.placement == "pre" else self.out_norm(self.f(x)))


@mistake(blank="pre")
def pre_without_residual(self, x):
    return self.f(self.norm(x))


@mistake(blank="pre")
def pre_without_norm(self, x):
    return x + self.f(x)


@mistake(blank="sandwich")
def sandwich_is_pre(self, x):
    return x + self.f(self.norm(x))


@mistake(blank="sandwich")
def sandwich_around_the_sum(self, x):
    return self.out_norm(x + self.f(self.norm(x)))


@mistake(blank="sandwich")
def exchanges_the_norms(self, x):
    return x + self.norm(self.f(self.out_norm(x)))


@mistake(blank="sandwich")
def sandwich_uses_one_norm(self, x):
    return x + self.norm(self.f(self.norm(x)))


@mistake(blank="sandwich")
def sandwich_keeps_the_normalised(self, x):
    x = self.norm(x)
    return x + self.out_norm(self.f(x))


@mistake(blank="last_norm")
def last_norm_in_post(self, d_model):
    self.norm = nn.LayerNorm(d_model)


@mistake(blank="last_norm")
def other_eps(self, d_model, placement):
    self.norm = nn.Identity() if placement == "post" else nn.LayerNorm(d_model, eps=1e-12)


@mistake(blank="stack")
def forgets_the_last_norm(self, x):
    for block in self.blocks:
        x = block(x)
    return x


@mistake(blank="stack")
def every_block_reads_the_input(self, x):
    total = x
    for block in self.blocks:
        total = total + block(x) - x
    return self.norm(total)


@mistake(blank="stack")
def normalises_the_input_instead(self, x):
    x = self.norm(x)
    for block in self.blocks:
        x = block(x)
    return x
