"""递归丢弃最旧的一条；角色用枚举；计数用正则无关的纯函数。"""

import enum


class 角色(enum.Enum):
    系统 = "system"
    用户 = "user"
    助手 = "assistant"


def 个数(串, ranks):
    表 = [串[i : i + 1] for i in range(len(串))]
    while len(表) > 1:
        选 = min(range(len(表) - 1), key=lambda i: (ranks.get(表[i] + 表[i + 1], float("inf")), i))
        if 表[选] + 表[选 + 1] not in ranks:
            break
        表[选 : 选 + 2] = [表[选] + 表[选 + 1]]
    return len(表)


class TokenBudget:
    def __init__(self, ranks, per_message=3, per_name=1, reply=3):
        self.__dict__.update(ranks=ranks, 每条=per_message, 名字=per_name, 回答=reply)

    def count(self, messages):
        合计 = self.回答
        for 消息 in messages:
            合计 += self.每条
            合计 += sum(个数(值.encode(), self.ranks) for 值 in 消息.values())
            合计 += self.名字 if 消息.get("name") is not None else 0
        return 合计

    def fit(self, messages, context, max_new):
        if self.count(messages) <= context - max_new:
            return list(messages)
        可丢 = [i for i, 消息 in enumerate(messages[:-1]) if 角色(消息["role"]) is not 角色.系统]
        if not 可丢:
            return None
        return self.fit(messages[: 可丢[0]] + messages[可丢[0] + 1 :], context, max_new)
