"""Hugging Face's two functions, rotate_half of Llama and rotate_every_two of GPT-J, in float32."""

import torch


def rotate_half(x):
    x1 = x[..., : x.shape[-1] // 2]
    x2 = x[..., x.shape[-1] // 2 :]
    return torch.cat((-x2, x1), dim=-1)


def rotate_every_two(x):
    x1 = x[:, :, :, ::2]
    x2 = x[:, :, :, 1::2]
    return torch.stack((-x2, x1), dim=-1).flatten(-2)


def apply_rope(q, k, positions, base=10000.0, layout="half"):
    dim = q.size(-1)
    inv_freq = 1.0 / (base ** (torch.arange(0, dim, 2, dtype=torch.int64).to(dtype=torch.float) / dim))
    if positions.ndim == 1:
        positions = positions.unsqueeze(0)
    inv_freq_expanded = inv_freq[None, :, None].float().expand(positions.shape[0], -1, 1)
    freqs = (inv_freq_expanded @ positions[:, None, :].float()).transpose(1, 2)
    if layout == "half":
        emb, rotate = torch.cat((freqs, freqs), dim=-1), rotate_half
    else:
        emb, rotate = torch.repeat_interleave(freqs, 2, dim=-1), rotate_every_two
    cos, sin = emb.cos().unsqueeze(1), emb.sin().unsqueeze(1)

    def embed(x):
        x32 = x.float()
        return ((x32 * cos) + (rotate(x32) * sin)).to(x.dtype)

    return embed(q), embed(k)
