"""What the graders of decoder blocks share: Llama, Qwen and GLM put the same parts together, each in its own way.

parameters = draw_layer(d_model=24, num_heads=6, num_kv_heads=2, d_ff=17)        by name, as a module has them
y, (k, v) = layer(parameters, x, positions, draw_cache(2, 2, 4, 4), 6, 2, eps, base)

References and their parts are pure, and compute in the dtype of their arguments.
"""

import math

import torch
from torch import Tensor

from clozekit.grading.layers import Parameters, linear
from clozekit.grading.shaking import at_least

Pair = tuple[Tensor, Tensor]


def draw(dtype: torch.dtype = torch.float32, **shapes: tuple) -> dict[str, Tensor]:
    """Weights of linear layers, (out, in) or (out, in, "bias"), and of norms, (d,), for which activations are about 1."""
    parameters = {}
    for name, (out, *rest) in shapes.items():
        width = rest[0] if rest else 0
        weight = 1.5 * torch.randn(out, width) / math.sqrt(width) if width else torch.rand(out) + 0.5
        parameters[f"{name}.weight"] = weight.to(dtype)
        if "bias" in rest:
            parameters[f"{name}.bias"] = torch.randn(out).to(dtype)
    return parameters


def draw_layer(
    d_model: int,
    num_heads: int,
    num_kv_heads: int,
    d_ff: int,
    dtype: torch.dtype = torch.float32,
    qkv_bias: bool = False,
) -> dict[str, Tensor]:
    """The parameters of a Llama layer, or with biases of a Qwen layer."""
    kv, bias = d_model // num_heads * num_kv_heads, ("bias",) if qkv_bias else ()
    return draw(
        dtype,
        input_layernorm=(d_model,),
        q_proj=(d_model, d_model, *bias),
        k_proj=(kv, d_model, *bias),
        v_proj=(kv, d_model, *bias),
        o_proj=(d_model, d_model),
        post_attention_layernorm=(d_model,),
        gate_proj=(d_ff, d_model),
        up_proj=(d_ff, d_model),
        down_proj=(d_model, d_ff),
    )


def draw_cache(b: int, heads: int, total: int, head_dim: int, dtype: torch.dtype = torch.float32) -> Pair:
    """Keys and values of earlier tokens."""
    return torch.randn(b, heads, total, head_dim).to(dtype), torch.randn(b, heads, total, head_dim).to(dtype)


def layer(
    parameters: Parameters,
    x: Tensor,
    positions: Tensor,
    cache: Pair | None,
    num_heads: int,
    num_kv_heads: int,
    eps: float,
    base: float,
    stretch: Tensor | None = None,
) -> tuple[Tensor, Pair]:
    """A layer of Llama: y, and keys and values of all tokens. stretch: [t], by how much each query is longer."""
    normed = rms_norm(parameters, "input_layernorm", x, eps)
    q = turned(split(linear(parameters, "q_proj", normed), num_heads), positions, base)
    k = turned(split(linear(parameters, "k_proj", normed), num_kv_heads), positions, base)
    v = split(linear(parameters, "v_proj", normed), num_kv_heads)
    if stretch is not None:
        q = q * stretch[:, None]
    t, earlier = x.shape[1], 0
    if cache is not None:
        earlier = cache[0].shape[2]
        k, v = torch.cat([cache[0], k], dim=2), torch.cat([cache[1], v], dim=2)
    sees = torch.arange(earlier + t) - earlier <= torch.arange(t)[:, None]
    x = x + linear(parameters, "o_proj", attended(q, k, v, sees))
    normed = rms_norm(parameters, "post_attention_layernorm", x, eps)
    inner = silu(linear(parameters, "gate_proj", normed)) * linear(parameters, "up_proj", normed)
    return x + linear(parameters, "down_proj", inner), (k, v)


def rms_norm(parameters: Parameters, name: str, x: Tensor, eps: float) -> Tensor:
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * parameters[f"{name}.weight"]


def split(x: Tensor, heads: int) -> Tensor:
    """[b, t, heads * head_dim] -> [b, heads, t, head_dim]."""
    return torch.stack(x.chunk(heads, dim=-1), dim=1)


def turned(x: Tensor, positions: Tensor, base: float, neighbours: bool = False) -> Tensor:
    """x [b, h, t, d]: a pair, features i and i + d/2 or two neighbours, is a complex number times e^(i angle).

    Angles are those of float32, as statements ask for: in half precision neighbouring tokens would have one.
    """
    d = x.shape[-1]
    pairs = x.unflatten(-1, (d // 2, 2)) if neighbours else x.unflatten(-1, (2, d // 2)).mT
    with at_least(torch.float32):
        angles = positions.to(x.dtype)[:, None] * x.new_tensor(base) ** (-2 * torch.arange(d // 2) / d)
    product = torch.complex(*pairs.unbind(-1)) * torch.polar(torch.ones_like(angles), angles)
    parts = torch.stack([product.real, product.imag], dim=-1)
    return (parts if neighbours else parts.mT).flatten(-2)


def attended(q: Tensor, k: Tensor, v: Tensor, sees: Tensor) -> Tensor:
    """One head of q [b, h, t, d] after the other, neighbours with one of k and v [b, h_kv, s, d] -> [b, t, h * d].

    sees: [t, s] or [b, t, s], True where a query meets a key.
    """
    heads = []
    for i in range(q.shape[1]):
        shared = i * k.shape[1] // q.shape[1]
        scores = q[:, i] @ k[:, shared].transpose(1, 2) / math.sqrt(q.shape[-1])
        heads.append(torch.where(sees, scores, -math.inf).softmax(-1) @ v[:, shared])
    return torch.cat(heads, dim=-1)


def silu(x: Tensor) -> Tensor:
    return x / (1 + torch.exp(-x))
