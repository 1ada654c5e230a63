"""Cost without a clock: what a call moves, computes and keeps, counted on a machine without a GPU.

    costs.py        one launch, one call: the counts as data
    callstring.py   softmax(float32[4096, 1000]): a call of full size, written down
    blank.py        tensors of full size that take no memory
    kernel.py       what the programs of each launch load, store and compute
    writers.py      who wrote what: conflicts, and memory that nobody has written
    sampling.py     which programs of a large grid are run, and how much each stands for
    tuning.py       which configuration of an autotuned kernel is taken
    compiling.py    a launch, compiled to PTX for a GPU that is not there
    coalescing.py   how much of what its warps ask for is used
    assembling.py   PTX, assembled: registers, stack, spills
    devices.py      the GPUs on paper
    roofline.py     the time that a GPU would take, and what limits it

    counts.py       one call of torch: the counts as data
    eager.py        what the operators of a call read, write, compute and keep
    operators.py    what one operator costs
    passes.py       how often CUDA's own kernels read again

Nothing is imported here: torch and triton come with the first module that needs them.
"""
