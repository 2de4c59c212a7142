"""What the notes of Tests/MPI/suite.py say, of all ranks of a run together.

outcomes.py NOTES RANKS TESTS                  prints how many tests ended how; fails if one failed or did not end
outcomes.py NOTES RANKS TESTS NOTES_OF_A_PEER  the same, and fails only where the peer's run did better

TESTS is the least number of tests that such a run has.
"""

import collections
import sys

# The worst of a test's ranks counts.
order = ["ok", "skipped", "failed", "unfinished", "missing"]


def worst(first, second):
    return max(first, second, key=order.index)


def outcomes(notes, ranks):
    """Test to outcome."""
    result = {}
    for rank in range(ranks):
        ended = {}
        try:
            lines = open(f"{notes}.{rank}").read().splitlines()
        except FileNotFoundError:
            sys.exit(f"rank {rank} noted nothing: it ended before the first test")
        for word, test in (line.split(" ", 1) for line in lines):
            if word == "start":
                ended[test] = "unfinished"
            else:
                ended[test] = word if ended.get(test, "unfinished") == "unfinished" else worst(word, ended[test])
        for test, word in ended.items():
            result[test] = worst(word, result.get(test, word))
    return result


notes, ranks, least = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
own = outcomes(notes, ranks)
counts = collections.Counter(own.values())
print(f"{len(own):8} tests, {ranks} ranks: " + ", ".join(f"{counts[word]} {word}" for word in order if counts[word]))
# Without a peer each test has to end well, or to say that it is not for this MPI.
peer = outcomes(sys.argv[4], ranks) if len(sys.argv) > 4 else dict.fromkeys(own, "skipped")
worse = {}
for test in sorted(own.keys() | peer.keys()):
    here, there = own.get(test, "missing"), peer.get(test, "skipped")
    if order.index(here) > order.index(there):
        worse[test] = here
        print(f"    {here}, with the peer {there}: {test}" if len(sys.argv) > 4 else f"    {here}: {test}")
    elif here not in ("ok", "skipped"):
        print(f"    {here}, and with the peer {there}: {test}")
if worse:
    sys.exit(1)
if len(own) < least:
    sys.exit(f"that is not the whole of at least {least} tests")
