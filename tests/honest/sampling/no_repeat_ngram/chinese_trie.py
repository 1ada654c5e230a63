"""字典树：每个节点是一个字典，同时推进 n 个起点。"""
import torch


class NoRepeatNGram:
    def __init__(self, n, ids):
        self.长度 = n
        self.根 = {}
        self.游标 = []
        for 词 in ids:
            self.append(词)

    def append(self, token):
        新游标 = []
        for 节点 in [*self.游标, self.根]:
            新游标.append(节点.setdefault(token, {}))
        self.游标 = 新游标[-(self.长度 - 1) :] if self.长度 > 1 else []

    def banned(self):
        if self.长度 == 1:
            return set(self.根)
        if len(self.游标) < self.长度 - 1:
            return set()
        return {*self.游标[0]}

    def block(self, logits):
        禁止 = torch.tensor(sorted(self.banned()), dtype=torch.int64)
        return logits.index_fill(0, 禁止, -torch.inf)
