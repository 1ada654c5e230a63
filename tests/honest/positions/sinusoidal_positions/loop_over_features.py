"""逐个特征计算，每列一次：循环只在特征上，不在位置上。"""

import torch


def sinusoidal(t: int, d: int, base: float = 10000.0) -> torch.Tensor:
    位置 = torch.arange(t, dtype=torch.float32)
    列 = []
    for 特征 in range(d):
        函数 = torch.cos if 特征 % 2 == 1 else torch.sin
        列.append(函数(位置 / base ** (2 * (特征 // 2) / d)))
    return torch.stack(列, dim=-1)
