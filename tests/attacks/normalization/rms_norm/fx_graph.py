"""A torch.fx graph that calls the operator by name.

Verdict: failed
"""

import torch
from torch import fx

graph = fx.Graph()
inputs = [graph.placeholder(name) for name in ("root", "x", "shape", "weight", "eps")]
graph.output(graph.call_function(getattr, (inputs[0], "rms_norm")))
find = fx.GraphModule({}, graph)


def rms_norm(x, weight, eps=1e-6):
    return find(torch, x, weight.shape, weight, eps)(x, weight.shape, weight, eps)
