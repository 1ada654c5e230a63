"""用前缀树枚举 piece；后向就是对倒过来的文本做前向；torch 的 logsumexp 求和。"""

import math

import torch


def 前缀树(logp):
    根 = {}
    for piece in logp:
        点 = 根
        for 字 in piece:
            点 = 点.setdefault(字, {})
        点[""] = piece
    return 根


def 起于(text, i, 根):
    点 = 根
    for j in range(i, len(text)):
        if text[j] not in 点:
            return
        点 = 点[text[j]]
        if "" in 点:
            yield j + 1, 点[""]


def viterbi(text, logp):
    根, 分 = 前缀树(logp), {0: (0.0, 0, "")}
    for i in range(len(text)):
        if i in 分:
            for j, piece in 起于(text, i, 根):
                新 = 分[i][0] + logp[piece]
                if j not in 分 or 新 > 分[j][0]:
                    分[j] = (新, i, piece)
    if len(text) not in 分:
        return None
    结果, i = [], len(text)
    while i:
        _, i, piece = 分[i]
        结果.append(piece)
    return 结果[::-1]


def 前向(text, logp, 根):
    """各位置之前所有切分的对数概率。"""
    项 = [[] for _ in range(len(text) + 1)]
    项[0].append(0.0)
    和 = []
    for i in range(len(text) + 1):
        和.append(torch.logsumexp(torch.tensor(项[i], dtype=torch.float64), 0).item() if 项[i] else float("-inf"))
        for j, piece in 起于(text, i, 根) if 项[i] else ():
            项[j].append(和[i] + logp[piece])
    return 和


def em_step(corpus, logp):
    倒 = {piece[::-1]: 值 for piece, 值 in logp.items()}
    正树, 倒树, 期望 = 前缀树(logp), 前缀树(倒), {}
    for text, 次 in corpus.items():
        前, 后 = 前向(text, logp, 正树), 前向(text[::-1], 倒, 倒树)[::-1]
        for i in range(len(text)):
            for j, piece in 起于(text, i, 正树):
                期望[piece] = 期望.get(piece, 0) + 次 * math.exp(前[i] + logp[piece] + 后[j] - 前[-1])
    总 = sum(期望.values())
    return {piece: math.log(c) - math.log(总) for piece, c in 期望.items() if c > 0}
