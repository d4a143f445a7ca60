#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""This library from Python beside asyncio, gbulb, gevent and GLib.idle_add(), in one run: prints Markdown.

    perf.py [--quick]

Each measure runs in a process of its own, in turns with its peers; the least of several runs counts.
"""
import os
import platform
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

# measure, what it is called, how many, the peers, whose it is
MEASURES = [
    ("spawn", "spawn and finish", 100_000, ("asyncio", "gbulb", "gevent"), "Cothread"),
    ("yields", "yield, among 10 tasks", 300_000, ("asyncio", "gbulb", "gevent"), "Cothread"),
    ("events", "event round trip", 100_000, ("asyncio", "gbulb"), "Cothread"),
    ("queues", "queue round trip", 100_000, ("asyncio", "gbulb"), "Cothread"),
    ("callbacks", "callback from a thread", 100_000, ("asyncio", "gbulb", "GLib.idle_add"), "Cothread"),
    ("yields", "yield through the drop-in, among 10 tasks", 300_000, ("asyncio", "gbulb", "gevent"), "drop-in"),
    ("events", "event round trip through the drop-in", 100_000, ("asyncio", "gbulb"), "drop-in"),
]


def make(name):
    import measures
    return {
        "Cothread": measures.ThroughCothread,
        "drop-in": measures.ThroughDropIn,
        "asyncio": measures.ThroughAsyncio,
        "gbulb": lambda: measures.ThroughAsyncio(True),
        "gevent": measures.ThroughGevent,
        "GLib.idle_add": measures.ThroughGLib,
    }[name]()


def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE")


def mapped():
    return int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGESIZE")


def parked(Cothread, n):
    """Bytes resident for each parked task."""
    def park():
        Cothread.sleep(None)

    tasks = [Cothread.spawn(park) for _ in range(100)]
    Cothread.sleep(0.01)
    before = resident()
    tasks += [Cothread.spawn(park) for _ in range(n)]
    Cothread.sleep(0.01)
    return (resident() - before) / n


def growth(Cothread, n):
    """Bytes, resident and mapped, by which n tasks that yield once make the process grow."""
    def run(n):
        for _ in range(n // 1000):
            for _ in range(1000):
                Cothread.spawn(Cothread.yield_)
            Cothread.sleep(0)
            Cothread.sleep(0)

    run(20_000)
    before = resident(), mapped()
    run(n)
    return resident() - before[0], mapped() - before[1]


def one(measure, name, n):
    library = make(name)
    if measure == "parked":
        print(parked(library.Cothread, n))
    elif measure == "growth":
        print(*growth(library.Cothread, n))
    elif measure in ("ticker", "idle_ticker"):
        print(getattr(library, measure)(n))
    else:
        getattr(library, measure)(n // 10)  # warm
        print(getattr(library, measure)(n) / n)


def measured(measure, name, n):
    done = subprocess.run([sys.executable, os.path.abspath(__file__), "--one", measure, name, str(n)],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return [float(word) for word in done.stdout.split()] or None


def best(measure, names, n, repeat):
    results = {}
    for _ in range(repeat):
        for name in names:
            result = measured(measure, name, n)
            if result is not None:
                results[name] = min(result[0], results.get(name, result[0]))
    return results


def main():
    quick = "--quick" in sys.argv
    scale, repeat = (20, 1) if quick else (1, 5)
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; "
          "ratio: how many times as fast as the peer.\n")
    print("| what | this library | peer | the peer | ratio |\n| --- | ---: | --- | ---: | ---: |")
    for measure, title, n, peers, library in MEASURES:
        results = best(measure, (library, *peers), n // scale, repeat)
        own = results.get(library)
        for peer in peers:
            if own is None or peer not in results:
                print(f"| {title} | {'failed' if own is None else f'{own * 1e9:.0f} ns'} | {peer} | not there | |")
            else:
                print(f"| {title} | {own * 1e9:.0f} ns | {peer} | {results[peer] * 1e9:.0f} ns | "
                      f"{results[peer] / own:.1f} |")
    print("\n| what | |\n| --- | ---: |")
    n = 1_000_000 // scale
    idle = min(measured("idle_ticker", "Cothread", 1000) for _ in range(repeat))
    print(f"| a 5 ms ticker beside nothing, late at worst | {idle[0] * 1e3:.1f} ms |")
    for name, times in (("Cothread", repeat), ("asyncio", 1), ("GLib.idle_add", 1)):
        late = min(measured("ticker", name, n) for _ in range(times))
        print(f"| a 5 ms ticker beside {n} queued callbacks of {name}, late at worst | {late[0] * 1e3:.1f} ms |")
    print(f"| resident memory of a parked task | {measured('parked', 'Cothread', 10_000 // scale)[0] / 1024:.1f} KiB |")
    grown = measured("growth", "Cothread", 500_000 // scale)
    print(f"| growth by {500_000 // scale} spawn+yield, resident | {grown[0] / 1000:.0f} kB |")
    print(f"| growth by {500_000 // scale} spawn+yield, mapped | {grown[1] / 1000:.0f} kB |")


if __name__ == "__main__":
    if "--one" in sys.argv:
        one(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main()
