"""A GPU as a worker has it: started before the learner's first line, and exact in float32.

    os.environ.update(gpu.ENVIRONMENT)
    gpu.start("cuda")       ends the process where CUDA does not start: then no learner's code is to blame
    gpu.lost("cuda")        True once a kernel broke the context: nothing more can be asked of it

Products of float32 are made in float32: TF32 has 11 bits, and the bar of an answer is that of its dtype. Each operator is
waited for, so that what fails is told at the line that asked for it.
"""

import os
import warnings

import torch

ENVIRONMENT = {
    "CUDA_LAUNCH_BLOCKING": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # what cuBLAS needs to give the same answer twice
}


def start(device: str) -> None:
    """Make the device ready, for good; where that fails, say so in a line, and end."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    warnings.filterwarnings("ignore", message=".* does not have a deterministic implementation")  # asked for by us
    try:
        torch.zeros(1, device=device)
    except Exception as error:  # torch's own texts may go on about how to debug a kernel
        print(f"{device} cannot be used: {str(error).partition(chr(10))[0]}", flush=True)
        os._exit(1)


def lost(device: str) -> bool:
    """Whether it can no longer be used."""
    if not device.startswith("cuda"):
        return False
    try:
        torch.cuda.synchronize()
    except Exception:
        return True
    return False
