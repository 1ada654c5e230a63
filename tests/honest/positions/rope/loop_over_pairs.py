"""一对一对地旋转：双精度角度，逐对循环，先转置再还原。"""

import torch


def 旋转(x, 位置, 底数, 布局):
    d = x.shape[-1]
    列 = list(x.float().unbind(-1))
    for i in range(d // 2):
        甲, 乙 = (i, i + d // 2) if 布局 == "half" else (2 * i, 2 * i + 1)
        角 = (位置.double() / 底数 ** (2 * i / d)).unsqueeze(-2)
        余弦, 正弦 = torch.cos(角).float(), torch.sin(角).float()
        列[甲], 列[乙] = 列[甲] * 余弦 - 列[乙] * 正弦, 列[甲] * 正弦 + 列[乙] * 余弦
    return torch.stack(列, dim=-1).to(x.dtype)


def apply_rope(q, k, positions, base=10000.0, layout="half"):
    return 旋转(q, positions, base, layout), 旋转(k, positions, base, layout)
