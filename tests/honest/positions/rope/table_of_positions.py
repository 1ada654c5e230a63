"""vLLM's habit: a table of cosines and sines up to the largest position, then rows by index; empty_like filled by slices."""

import torch


class Rotary:
    def __init__(self, d: int, base: float, length: int):
        theta = torch.pow(base, torch.linspace(0, -2 * (d // 2 - 1) / d, d // 2))
        self.cos = torch.outer(torch.arange(length), theta).cos()
        self.sin = torch.outer(torch.arange(length), theta).sin()

    def __call__(self, x: torch.Tensor, positions: torch.Tensor, layout: str) -> torch.Tensor:
        cos, sin = self.cos[positions], self.sin[positions]
        if cos.dim() == 3:
            cos, sin = cos.unsqueeze(1), sin.unsqueeze(1)
        half = x.shape[-1] // 2
        a_places, b_places = (slice(0, half), slice(half, None)) if layout == "half" else (slice(0, None, 2), slice(1, None, 2))
        a, b = x[..., a_places].float(), x[..., b_places].float()
        out = torch.empty_like(x)
        out[..., a_places] = a * cos - b * sin
        out[..., b_places] = b * cos + a * sin
        return out


def apply_rope(q, k, positions, base=10000.0, layout="half"):
    rotary = Rotary(q.shape[-1], base, int(positions.max()) + 1)
    return rotary(q, positions, layout), rotary(k, positions, layout)
