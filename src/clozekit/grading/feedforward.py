"""What the graders of feed-forward layers share: the cases, and parameters for the projections.

    layer = FeedForward("SwiGLU", gated_sizes)
    layer.values(check, "one vector")        check(check.new("SwiGLU", d_model=6, d_ff=10, parameters=drawn), x)
    gated(parameters, x, F.silu)             what GLU, GEGLU and SwiGLU return; for their references

A class takes d_model and d_ff; its forward takes x [..., d_model], any axes in front, and gives the same shape.
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from clozekit.grading.check import Check
from clozekit.grading.layers import linear
from clozekit.grading.questions import Kept

# axes in front, d_model, d_ff. Widths differ, so that a projection taken for another one shows.
SHAPES = {
    "batch and time": ((2, 5), 6, 10),
    "one vector": ((), 6, 10),
    "one token": ((1, 1), 6, 10),
    "three axes in front": ((2, 1, 3), 5, 7),
    "narrower inside": ((2, 5), 8, 3),
    "one hidden feature": ((3, 4), 6, 1),
}
DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}
TEXTS = {"short text": (9, 14), "long text": (33, 39)}  # tokens; drawn, so that no length is known to be measured

Sizes = Mapping[str, tuple[int, int]]  # of each projection, how many features it takes and gives


def drawn(sizes: Sizes, bias: bool = False, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Parameters of an nn.Linear for each name, for which its results are about as large as what it takes."""
    found = {}
    for name, (takes, gives) in sizes.items():
        found[f"{name}.weight"] = (1.5 * torch.randn(gives, takes) / math.sqrt(takes)).to(dtype)
        if bias:
            found[f"{name}.bias"] = torch.randn(gives).to(dtype)
    return found


def gated_sizes(d_model: int, d_ff: int) -> Sizes:
    """Of the projections that `gated` takes."""
    return {"gate_proj": (d_model, d_ff), "up_proj": (d_model, d_ff), "down_proj": (d_ff, d_model)}


def gated(parameters: Mapping[str, Tensor], x: Tensor, activation: Callable[[Tensor], Tensor]) -> Tensor:
    """Shazeer 2020, eq. 5 and 6: (activation(x W) ⊗ x V) W2."""
    hidden = activation(linear(parameters, "gate_proj", x)) * linear(parameters, "up_proj", x)
    return linear(parameters, "down_proj", hidden)


@dataclass(frozen=True)
class FeedForward:
    """A class under test. `bias`: what it has by default. `options`: other arguments, and what may be drawn for each."""

    target: str
    sizes: Callable[[int, int], Sizes]
    bias: bool = False
    options: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def new(self, check: Check, d_model: int, d_ff: int, dtype: torch.dtype = torch.float32, **config: Any) -> Kept:
        parameters = drawn(self.sizes(d_model, d_ff), config.get("bias", self.bias), dtype)
        return check.new(self.target, d_model=d_model, d_ff=d_ff, parameters=parameters, **config)

    def values(self, check: Check, case: str, **config: Any) -> None:
        lead, d_model, d_ff = SHAPES[case]
        check(self.new(check, d_model, d_ff, **config), torch.randn(*lead, d_model))

    def half_precision(self, check: Check, case: str, **config: Any) -> None:
        dtype = DTYPES[case]
        check(self.new(check, 6, 10, dtype, **config), torch.randn(2, 5, 6).to(dtype))

    def large_values(self, check: Check, **config: Any) -> None:
        """Each hidden feature is far on one side or the other of what the activation bends; exp(100) is infinite."""
        check(self.new(check, 6, 10, **config), 60 * torch.randn(2, 5, 6), gradients=True)

    def non_contiguous(self, check: Check, **config: Any) -> None:
        check(self.new(check, 6, 10, **config), torch.randn(6, 5, 2).permute(2, 1, 0))

    def gradients(self, check: Check, **config: Any) -> None:
        check(self.new(check, 6, 10, **config), torch.randn(2, 5, 6), gradients=True)

    def cost(self, check: Check, text: str, **config: Any) -> None:
        """So wide that the products decide."""
        layer = self.new(check, 48, 72, **config)
        check(layer, torch.randn(1, random.randint(*TEXTS[text]), 48), measured=True)

    def drawn_anew(self, check: Check) -> None:
        """Two layers in turn, of other widths and dtypes: a long text, one for the other layer, a short one."""
        layers = []
        for dtype, (least, most) in ((torch.float32, (17, 30)), (random.choice([*DTYPES.values()]), (5, 12))):
            d_model, d_ff = random.randint(least, most), random.randint(2 * least, 2 * most)
            config = {name: random.choice(choices) for name, choices in self.options.items()}
            layers.append((self.new(check, d_model, d_ff, dtype, **config), d_model, dtype))
        wide, narrow = layers
        for (layer, d_model, dtype), tokens in (wide, (130, 160)), (narrow, (33, 48)), (wide, (9, 20)):
            lead = *random.choices([1, 2], k=random.randint(0, 2)), random.randint(*tokens)
            check(layer, torch.randn(*lead, d_model).to(dtype))
        layer, d_model, _ = wide
        check(layer, torch.randn(2, d_model), gradients=True)  # so few that no ReLU is within a rounding of its bend
