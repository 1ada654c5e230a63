"""The kernel of the C++ library by torch.ops.load_library's neighbour: the dispatcher.

Verdict: failed
"""

import torch

schema = [s for s in torch._C._jit_get_all_schemas() if s.name == "aten::rms_norm"][0]


def rms_norm(x, weight, eps=1e-6):
    return torch._C._jit_get_operation(schema.name)[0](x, weight.shape, weight, eps)
