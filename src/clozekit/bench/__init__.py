"""Speed, measured where there is a device: a candidate beside its reference, in turns, judged by a sign test.

sign_test   is it slower than its bar? Exact, whatever the noise          answers    are timed answers still right?
measure     the loop: cold cache, fresh inputs, turns, throttling         cpu, cuda  what it runs on
planned     a plan with buffers of its own, launched again and again      driver     compiled kernels, through libcuda
process     all of it in a process without learners' Python               job, ask   what that one is asked, and by whom
runner      the same for what kernels answer, not for how fast they are
referee     one call of a submission: has both sides made ready and measured
entry       what workers hand over of a call, for a GPU                   asked      a worker that computes, for a processor
"""
