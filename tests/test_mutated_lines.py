"""Line by line: these mutants are made of it, and no others."""

import pytest

from clozekit.mutants import mutants

# A line of a solution, and under it every line that a mutant makes of it.
LINES = """
return a + b * c - d
    return a - b * c - d
    return a + b / c - d
    return a + b * c + d
return h // g % n
    return h % g % n
    return h // g // n
return a**b
    return a*b
return ((a) )*( b )
    return ((a) )/( b )
return a @ (b + c)
    return (b + c) @ (a)
    return a @ (b - c)
return (a & b) | ~c << d
    return (a | b) | ~c << d
    return (a & b) & ~c << d
    return (a & b) | c << d
    return (a & b) | ~c >> d
return a < b >= c == d
    return a <= b >= c == d
    return a < b > c == d
    return a < b >= c != d
return a is not b
    return a is b
return a is not_b
    return a is not not_b
return a in b
    return a not in b
return a and not b or c
    return a or not b or c
    return a and b or c
    return a and not b and c
return -x
    return x

# constants
return x.pow(2)
    return x.pow(3)
    return x.pow(1)
return x.size(0)
    return x.size(1)
    return x.size(-1)
return x.size(-1)
    return x.size(-2)
    return x.size(0)
return x * 1e-6
    return x / 1e-6
    return x * 2e-06
return 0.0
    return 1.0
return -0.5
    return 0.5
    return -1.0
return 1e999
return x.sort(descending=True)
    return x.sort(descending=False)
return f'{a + b}', 'a + b'
    return 'a + b', f'{a + b}'
return '均方根', -a  # 根号内 + eps
    return '均方根', a  # 根号内 + eps
    return (-a), '均方根'  # 根号内 + eps

# names and calls
return x.argmax() / torch.tril(y)
    return x.argmin() / torch.tril(y)
    return x.argmax() * torch.tril(y)
    return x.argmax() / torch.triu(y)
return max(a) / exp(b)
    return min(a) / exp(b)
    return max(a) * exp(b)
return self.max
return tl.sum(x)
    return tl.max(x)
return torch.zeros(n, dtype=torch.float32)
    return torch.ones(n, dtype=torch.float32)
    return torch.zeros(n, )
    return torch.zeros(n, dtype=torch.float16)
return (a + b).float().to(c.dtype)
    return (a - b).float().to(c.dtype)
    return (a + b).to(c.dtype)
    return (a + b).float()
return torch.rand(n).float()
    return torch.rand(n)
return x.to(y.device).sin(device=d, out=z)
    return x.to(y.device).cos(device=d, out=z)
    return x.to(y.device).sin(device=d, )
return f(a, key=b, other=c, **d)
    return f(a, other=c, **d)
    return f(a, key=b, **d)
return f(key=b)
    return f()
return torch.sqrt(a + b)
    return (a + b)
    return torch.sqrt(a - b)
return x.sqrt()
    return x
return torch.clamp(x)
return x.masked_fill(m > n, v)
    return x.masked_fill(~(m > n), v)
    return x.masked_fill(m >= n, v)
return tl.where(~m, a, b)
    return tl.where(m, a, b)
return torch.where(m, a, b)
    return torch.where(~m, a, b)
return torch.matmul(a, b)
    return torch.matmul(b, a)
return torch.cat([a, *b, c])
    return torch.stack([a, *b, c])
    return torch.cat([*b, a, c])
    return torch.cat([a, c, *b])
return triton.cdiv(n, a + b)
    return (n // (a + b))
    return triton.cdiv(n, a - b)
return max(a, key=lambda p: -p)
    return min(a, key=lambda p: -p)
    return max(a, )
    return max(a, key=lambda p: p)

# off by one
return x[a:b]
    return x[a + 1:b]
    return x[a:b - 1]
return x[:]
    return x[1:]
    return x[:-1]
return x[a:, ..., :b]
    return x[a + 1:, ..., :b]
    return x[a:-1, ..., :b]
    return x[a:, ..., 1:b]
    return x[a:, ..., :b - 1]
return x[1 : n - 1]
    return x[2 : n - 1]
    return x[0 : n - 1]
    return x[1 : n + 1]
    return x[1 : n - 2]
    return x[1 : n - 0]
return x[(a if b else c) :]
    return x[((a if b else c) + 1) :]
    return x[(a if b else c) :-1]
    return x[(a if not b else c) :]
return x[:, None]
return range(n)
    return range(1, n)
    return range(n - 1)
return range(a, b, c)
    return range(a + 1, b, c)
    return range(a, b - 1, c)
return range(4)
    return range(1, 4)
    return range(5)
    return range(3)

# statements
return a, b
    return b, a
return [i for i in a if b]
    return [i for i in a if not b]
if a or b: f()
    if not (a or b): f()
    if a and b: f()
    if a or b: pass
if a == b: f()
    if a != b: f()
    if a == b: pass
if a: return
    if not a: return
    if a: pass
if a: raise ValueError(a + b)
    if not a: raise ValueError(a + b)
    if a: pass
while a: break
    while a: continue
for a in b: continue
    for a in b: break
x += a
    x -= a
    pass
x @= a
    pass
x.append(a)
    pass
y = a
x, n = f(x)
    pass
self.k = k
    pass
x[i] = a
    pass
y: Literal[1] = a
assert a + b, c + d
def f(x: Literal[1] = 2, *, y=True) -> -1: return -x
    def f(x: Literal[1] = 2, *, y=True) -> -1: return x
"1 + 1"
"""


def cases() -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    for line in filter(None, LINES.splitlines()):
        if line.startswith("    "):
            [*table.values()][-1].append(line.strip())
        elif not line.startswith("#"):
            table[line] = []
    return table


@pytest.mark.parametrize(("line", "wrong"), cases().items(), ids=cases())
def test_a_line_has_these_mutants_and_no_others(line, wrong):
    source = f"import torch, triton\nimport triton.language as tl\ndef forward(self, x, n):\n    {line}\n"
    made = [mutant.source.splitlines()[3].strip() for mutant in mutants(source)]
    assert sorted(made) == sorted(wrong)
