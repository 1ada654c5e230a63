"""中文命名；结果是具名元组，残差用 p 减去逐点最小值得到。"""
from itertools import takewhile
from typing import NamedTuple

import torch


class 结论(NamedTuple):
    保留: int
    分布: torch.Tensor


def verify_draft(p, q, draft, uniforms):
    行 = range(len(draft))
    接受 = [bool(u < p[i][x] / q[i][x]) for i, x, u in zip(行, draft, uniforms)]
    n = sum(1 for _ in takewhile(bool, 接受))
    if all(接受):
        return tuple(结论(n, p[n]))
    缺 = p[n] - torch.minimum(p[n], q[n])
    return tuple(结论(n, 缺 / 缺.sum()))
