#!/usr/bin/env python3
"""Where a program spends its time, by source file of this repository: the shares of docs/performance.md.

    cargo build --release --bin uphill --config 'profile.release.package.uphill.debug="line-tables-only"'
    perf record -e cpu-clock:u -F 4000 target/release/uphill train --env CartPole-v1 --algo a2c --envs 4 --n-steps 5 \
        --steps 3000000 --threads 1 --quiet
    python3 scripts/time-by-file.py target/release/uphill perf.data

Needs Linux with perf, and readelf and addr2line of binutils. A sample belongs to the innermost file of ours among the functions that were
compiled into the place where it was taken; what has none is of a library.
"""

import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Files by the part of a training loop that they are of.
PARTS = {
    "matrix products": r"src/kernels/(product|places|matmul|scalar_products)\.rs",
    "tanh and its derivative": r"src/kernels/elementary\.rs",
    "weights turned round for passes forward": r"src/kernels/transpose\.rs",
    "optimizer": r"src/(optim/|kernels/vector\.rs)",
}


def said(*command, given=None):
    return subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout


def moved(program, data):
    """What an address at run time is more than the one that debug information has."""
    maps = re.findall(r"MMAP2.*?\[0x(\w+)\(0x\w+\) @ (\w+) .*?r-xp (\S+)", said("perf", "script", "-i", data, "--show-mmap-events"))
    start, offset = next((int(start, 16), int(at, 16)) for start, at, path in maps if path == str(program))
    for line in said("readelf", "-lW", program).splitlines():
        fields = line.split()
        if fields[:1] == ["LOAD"] and "E" in fields[6:-1]:
            return start - offset + int(fields[1], 16) - int(fields[2], 16)
    sys.exit(f"{program} has no code")


def main(program, data):
    program = pathlib.Path(program).resolve()
    samples = [line.split(None, 1) for line in said("perf", "script", "-i", data, "-F", "ip,dso", "-G").splitlines() if line.strip()]
    own = collections.Counter(address for address, where in samples if str(program) in where)
    shift = moved(program, data)
    places = "\n".join(hex(int(address, 16) - shift) for address in own)
    files = collections.Counter({"libraries": len(samples) - sum(own.values())})
    for address, chain in zip(own, re.split(r"^0x\w+\n", said("addr2line", "-ia", "-e", program, given=places), flags=re.M)[1:]):
        ours = [line.split(":")[0] for line in chain.splitlines() if line.startswith(f"{ROOT}/")]
        files[ours[0].removeprefix(f"{ROOT}/") if ours else "libraries"] += own[address]
    parts = collections.Counter()
    for file, count in files.items():
        parts[next((part for part, pattern in PARTS.items() if re.match(pattern, file)), "the rest")] += count
    for shares in (parts, files):
        for name, count in shares.most_common(25):
            print(f"{100 * count / len(samples):6.1f} %  {name}")
        print()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
