"""``python -m tests.fuzz.million [count]``: mutants of valid events; prints the worst time of one and the growth of memory."""

from __future__ import annotations

import random
import resource
import sys
import time
from collections import Counter

from tests.fuzz.events import mall_events
from tests.fuzz.properties import DECODERS, outcome, samples

SEED = 20


def mutant(sample: bytes, rng: random.Random) -> bytes:
    """One to four bytes changed, and sometimes a stretch cut out or doubled."""
    data = bytearray(sample)
    for _ in range(rng.randint(1, 4)):
        data[rng.randrange(len(data))] = rng.choice((0, 1, 2, 127, 128, 129, 254, 255, rng.randrange(256)))
    at, size = rng.randrange(len(data)), rng.randint(0, 6)
    match rng.randrange(4):
        case 0:
            return bytes(data[:at] + data[at + size :])
        case 1:
            return bytes(data[:at] + data[at : at + size] + data[at:])
    return bytes(data)


def main() -> None:
    """Decode every mutant of every sample; anything but a value or a ``DecodeError`` ends the run."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rng = random.Random(SEED)  # the same mutants each run
    seeds = [(DECODERS[sample[0]][0], sample[1:]) for sample in samples()]
    seeds += [(decode, data) for _, decode, data in mall_events()]
    codes = Counter[str]()
    begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    worst = total = 0.0
    for number in range(count):
        decode, sample = seeds[number % len(seeds)]
        data = mutant(sample, rng)
        start = time.process_time()
        found = outcome(decode, data)
        spent = time.process_time() - start
        total += spent
        worst = max(worst, spent)
        codes[found[0] if isinstance(found, tuple) and len(found) == 3 else "a value"] += 1
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - begin) / 1024
    told = ", ".join(f"{code} {n:,}" for code, n in codes.most_common())
    sys.stdout.write(f"{count:,} mutants of {len(seeds)} events: {told}\n")
    sys.stdout.write(
        f"worst {worst * 1000:.1f} ms, mean {total / count * 1e6:.0f} us, peak memory grew by {grown:.1f} MB\n"
    )


if __name__ == "__main__":
    main()
