"""The numbers of the system calls that the sandbox knows, by machine.

    NUMBERS["x86_64"]["openat"]     257
    NUMBERS["aarch64"]["openat"]    56

aarch64 never had the older of two calls that do the same (open, stat, rename): there a name is missing. tests/sandbox
compares the tables with the kernel's headers.
"""

NEWEST = 450  # the last number of Linux 5.17; a libc that tries a later call must be able to do without


def numbers(table: str) -> dict[str, int]:
    words = table.split()
    return {name: int(number) for name, number in zip(words[::2], words[1::2], strict=True)}


NUMBERS = {
    "x86_64": numbers("""
        read 0  write 1  open 2  close 3  stat 4  fstat 5  lstat 6  poll 7  lseek 8  mmap 9  mprotect 10  munmap 11
        brk 12  rt_sigaction 13  rt_sigprocmask 14  rt_sigreturn 15  ioctl 16  pread64 17  pwrite64 18  readv 19  writev 20
        access 21  select 23  sched_yield 24  mremap 25  madvise 28  dup 32  dup2 33  nanosleep 35  getitimer 36
        alarm 37  setitimer 38  getpid 39  sendto 44  recvfrom 45  sendmsg 46  recvmsg 47  clone 56  exit 60  kill 62  uname 63
        fcntl 72  flock 73  fsync 74  fdatasync 75  ftruncate 77  getcwd 79  chdir 80  rename 82  mkdir 83  rmdir 84
        unlink 87  readlink 89  umask 95  gettimeofday 96  getrlimit 97  getrusage 98  sysinfo 99  times 100  getuid 102
        getgid 104  geteuid 107  getegid 108  getppid 110  getpgrp 111  capset 126  sigaltstack 131  statfs 137
        fstatfs 138  sched_get_priority_max 146  sched_get_priority_min 147  prctl 157  arch_prctl 158  gettid 186
        time 201  futex 202  sched_getaffinity 204  getdents64 217  set_tid_address 218  restart_syscall 219
        fadvise64 221  clock_gettime 228  clock_getres 229  clock_nanosleep 230  exit_group 231  tgkill 234  mbind 237
        get_mempolicy 239  openat 257  mkdirat 258  newfstatat 262  unlinkat 263  renameat 264  readlinkat 267
        faccessat 269  pselect6 270  ppoll 271  set_robust_list 273  fallocate 285  eventfd2 290  dup3 292  pipe2 293
        prlimit64 302  getcpu 309  renameat2 316  seccomp 317  getrandom 318  membarrier 324  statx 332  rseq 334
        clone3 435  close_range 436  faccessat2 439  landlock_create_ruleset 444  landlock_add_rule 445
        landlock_restrict_self 446
        """),
    "aarch64": numbers("""
        getcwd 17  eventfd2 19  dup 23  dup3 24  fcntl 25  ioctl 29  flock 32  mkdirat 34  unlinkat 35  renameat 38
        statfs 43  fstatfs 44  ftruncate 46  fallocate 47  faccessat 48  chdir 49  openat 56  close 57  pipe2 59
        getdents64 61  lseek 62  read 63  write 64  readv 65  writev 66  pread64 67  pwrite64 68  pselect6 72  ppoll 73
        readlinkat 78  newfstatat 79  fstat 80  fsync 82  fdatasync 83  capset 91  exit 93  exit_group 94
        set_tid_address 96  futex 98  set_robust_list 99  nanosleep 101  getitimer 102  setitimer 103  clock_gettime 113
        clock_getres 114  clock_nanosleep 115  sched_getaffinity 123  sched_yield 124  sched_get_priority_max 125
        sched_get_priority_min 126  restart_syscall 128  kill 129  tgkill 131  sigaltstack 132  rt_sigaction 134
        rt_sigprocmask 135  rt_sigreturn 139  times 153  uname 160  getrlimit 163  getrusage 165  umask 166  prctl 167
        getcpu 168  gettimeofday 169  getpid 172  getppid 173  getuid 174  geteuid 175  getgid 176  getegid 177
        gettid 178  sysinfo 179  sendto 206  recvfrom 207  sendmsg 211  recvmsg 212  brk 214  munmap 215  mremap 216
        clone 220  mmap 222  fadvise64 223  mprotect 226  madvise 233  mbind 235  get_mempolicy 236  prlimit64 261
        renameat2 276  seccomp 277  getrandom 278  membarrier 283  statx 291  rseq 293  clone3 435  close_range 436
        faccessat2 439  landlock_create_ruleset 444  landlock_add_rule 445  landlock_restrict_self 446
        """),
}
