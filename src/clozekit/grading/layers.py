"""Parts of a Transformer by their formulas: what the reference of a whole layer is made of.

    parameters = {"self_attn.q_proj.weight": ..., "norm1.weight": ..., ...}
    y = attention(parameters, "self_attn", x, memory, heads)        x [..., t, d] looks at all of memory [..., s, d]
    z = layer_norm(parameters, "norm1", x + y)

Whoever may not see a token is not given it; where that takes too many calls, `visible` is the mask, True where x may look.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

Parameters = Mapping[str, Tensor]


def linear(parameters: Parameters, name: str, x: Tensor) -> Tensor:
    """x [..., d_in] -> [..., d_out]; with a bias where there is one."""
    y = x @ parameters[f"{name}.weight"].T
    return y + parameters[f"{name}.bias"] if f"{name}.bias" in parameters else y


def layer_norm(parameters: Parameters, name: str, x: Tensor, eps: float = 1e-5) -> Tensor:
    """x [..., d] -> [..., d]."""
    centred = x - x.mean(-1, keepdim=True)
    normed = centred / torch.sqrt((centred * centred).mean(-1, keepdim=True) + eps)
    return normed * parameters[f"{name}.weight"] + parameters[f"{name}.bias"]


def attention(
    parameters: Parameters, name: str, x: Tensor, memory: Tensor, heads: int, visible: Tensor | None = None
) -> Tensor:
    """x [..., t, d], memory [..., s, d] -> [..., t, d]; of the projections NAME.q_proj, k_proj, v_proj, out_proj."""
    dot = f"{name}." if name else ""

    def by_head(proj: str, x: Tensor) -> Tensor:
        return linear(parameters, f"{dot}{proj}_proj", x).reshape(*x.shape[:-1], heads, -1).transpose(-3, -2)

    q, k, v = by_head("q", x), by_head("k", memory), by_head("v", memory)  # [..., h, t or s, head_dim]
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if visible is not None:
        scores = scores.masked_fill(~visible, -math.inf)
    return linear(parameters, f"{dot}out_proj", torch.cat((scores.softmax(-1) @ v).unbind(-3), dim=-1))


def feed_forward(parameters: Parameters, name: str, x: Tensor) -> Tensor:
    """x [..., d] -> [..., d]; of NAME.fc1 and NAME.fc2, with ReLU between them."""
    dot = f"{name}." if name else ""
    return linear(parameters, f"{dot}fc2", linear(parameters, f"{dot}fc1", x).clamp(min=0))


def draw_parameters(
    linears: Mapping[str, tuple[int, int]], norms: Mapping[str, int], dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """By name: of each nn.Linear(d_in, d_out), whose answers are about as large as what it is given, and each nn.LayerNorm(d).

    Scales are of both signs, away from 0 and from 1; no bias is 0.
    """
    parameters = {}
    for name, (d_in, d_out) in linears.items():
        parameters[f"{name}.weight"] = (torch.randn(d_out, d_in) / math.sqrt(d_in)).to(dtype)
        parameters[f"{name}.bias"] = (torch.randn(d_out) / 2).to(dtype)
    for name, d in norms.items():
        parameters[f"{name}.weight"] = ((torch.rand(d) + 0.5) * torch.randn(d).sign()).to(dtype)
        parameters[f"{name}.bias"] = (torch.randn(d) / 2).to(dtype)
    return parameters
