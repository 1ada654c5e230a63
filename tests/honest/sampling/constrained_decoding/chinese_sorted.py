"""把允许的 token 按概率排序，取最前面的。"""
import functools

import torch


def build_index(fsm, vocab):
    def 前进(状态, 字符):
        return None if 状态 is None else fsm[状态].get(字符)

    索引 = {状态: {} for 状态 in fsm}
    for 编号, 文本 in enumerate(vocab):
        if not 文本:
            continue
        for 状态 in fsm:
            终点 = functools.reduce(前进, 文本, 状态)
            if 终点 is not None:
                索引[状态][编号] = 终点
    return 索引


def constrained_decode(model, ids, index, start, finals, eos, max_new):
    文本, 状态 = ids.tolist(), start
    for _ in range(max_new):
        概率 = model(torch.tensor([文本]))[0, -1].softmax(dim=-1)
        候选 = list(index[状态]) + ([eos] if 状态 in finals else [])
        文本.append(sorted(候选, key=lambda 编号: 概率[编号].item())[-1])
        if 文本[-1] == eos:
            break
        状态 = index[状态][文本[-1]]
    return 文本[len(ids) :]
