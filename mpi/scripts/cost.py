#!/usr/bin/env python3
"""What a step of processes that share a batch takes, between network namespaces with given speeds and latencies, beside what the model of
docs/many-machines.md predicts.

    mpi/scripts/cost.py                        circle
    mpi/scripts/cost.py --mnist DIR            mnist as well, from the four IDX files in DIR

Needs Linux, root, cargo, gcc, iproute2 and Open MPI. The processes are on the processors of this machine: where there are more of them, they share
these, and the model says so. Each figure is the median of rounds in turn. A prediction that is off by more than a fifth ends the script with
status 1.
"""

import argparse
import contextlib
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Gbit a second, and microseconds.
NETWORKS = [(10.0, 50.0), (1.0, 200.0)]
# Preset, batch, steps of a run, parameters of both networks.
CASES = [("circle", 4096, 300, 11_411), ("circle", 65_536, 40, 11_411), ("mnist", 256, 40, 2_946_577), ("mnist", 4096, 6, 2_946_577)]
# What processes tell each other beside the gradients of two networks: a signal after the passes of each.
SIGNALS = 2
MOST_OFF = 0.2
# Open MPI over the link alone, as between machines, without binding processes to processors that others use, too.
SETTINGS = {
    "btl": "tcp,self",
    "btl_tcp_if_include": "link",
    "oob_tcp_if_include": "link",
    "mpi_yield_when_idle": "1",
    "hwloc_base_binding_policy": "none",
}


@contextlib.contextmanager
def network(folder, gbit, microseconds, ends):
    """Namespaces with a link between them; their names."""
    names = [f"gannet{number}" for number in range(1, ends + 1)]
    link = folder / "link"
    try:
        for name in names:
            subprocess.run(["ip", "netns", "add", name], check=True)
        running = subprocess.Popen([link, str(gbit), str(microseconds), *names], stdout=subprocess.PIPE, text=True)
        try:
            if running.stdout.readline().strip() != "ready":
                sys.exit("there is no link")
            yield names
        finally:
            running.kill()
            running.wait()
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False, stderr=subprocess.DEVNULL)


def agent(folder):
    """What Open MPI calls instead of ssh: a command in another namespace, as on another machine."""
    path = folder / "agent"
    path.write_text('#!/bin/sh\nhost=$1\nshift\nexec ip netns exec gannet${host##*.} unshare --uts sh -c "hostname $host; $*"\n')
    path.chmod(0o755)
    return path


def seconds(command, run):
    """Seconds that the steps of a training took."""
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
    return json.loads((run / "run.json").read_text())["seconds"]


class Measured:
    """Trainings of a case, alone and in several processes."""

    def __init__(self, program, folder, mnist):
        self.program, self.folder, self.mnist = program, folder, mnist
        self.runs = 0

    def arguments(self, case, shards):
        preset, batch, steps, _ = case
        self.runs += 1
        run = self.folder / f"run-{self.runs}"
        data = ["--data", self.mnist] if preset == "mnist" else ["--points", 65_536]
        length = ["--batch", batch, "--steps", steps, "--shards", shards, "--threads", 1, "--engine", "native"]
        quiet = ["--quiet", "--checkpoint-steps", steps, "--evaluate-every", steps, "--report-every", steps, "--out", run]
        return [self.program, "train", preset, *data, *length, *quiet], run

    def alone(self, case, shards):
        """Seconds of a step of one process with one thread."""
        command, run = self.arguments(case, shards)
        return seconds(command, run) / case[2]

    def together(self, case, names):
        """Seconds of a step of a process for each namespace."""
        command, run = self.arguments(case, len(names))
        hosts = ",".join(f"10.77.0.{number}:1" for number in range(1, len(names) + 1))
        settings = [part for setting in SETTINGS.items() for part in ("--mca", *setting)]
        job = ["mpirun", "--allow-run-as-root", "--mca", "plm_rsh_agent", agent(self.folder), *settings]
        begin = ["ip", "netns", "exec", names[0], "unshare", "--uts", "sh", "-c", 'hostname 10.77.0.1; exec "$@"', "sh"]
        return seconds([*begin, *job, "--host", hosts, "-n", len(names), *command], run) / case[2]


def predicted(alone, processes, parameters, gbit, microseconds):
    """Seconds of a step by the model."""
    computing = alone / min(processes, len(os.sched_getaffinity(0)))
    # Two networks are halved and put together again, and a signal goes each way at once.
    messages = (2 * 2 + SIGNALS) * math.log2(processes)
    sent = 8 * parameters * (1 - 1 / processes)
    return computing + messages * microseconds * 1e-6 + 8 * sent / (gbit * 1e9)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", metavar="DIR", type=pathlib.Path, help="folder with the IDX files of MNIST")
    parser.add_argument("--program", metavar="PATH", type=pathlib.Path, help="gannet-mpi; without it, it is built")
    parser.add_argument("--processes", default="2,4,8", help="numbers of processes [default: %(default)s]")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="runs of each kind [default: %(default)s]")
    given = parser.parse_args()
    program = given.program
    if not program:
        subprocess.run(["cargo", "build", "--release", "--package", "gannet-mpi", "--target-dir", "target"], cwd=ROOT, check=True)
        program = ROOT / "target/release/gannet-mpi"
    cases = [case for case in CASES if case[0] != "mnist" or given.mnist]
    off = []
    print("| preset | batch | processes | network | one process, ms | predicted, ms | measured, ms | predicted / measured |")
    print("|---|---:|---:|---|---:|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory(prefix="gannet-cost-") as place:
        folder = pathlib.Path(place)
        subprocess.run(["gcc", "-std=c11", "-O2", HERE / "link.c", "-o", folder / "link"], check=True)
        measured = Measured(program.resolve(), folder, given.mnist and given.mnist.resolve())
        for processes in map(int, given.processes.split(",")):
            for gbit, microseconds in NETWORKS:
                with network(folder, gbit, microseconds, processes) as names:
                    for case in cases:
                        rounds = [(measured.alone(case, processes), measured.together(case, names)) for _ in range(given.rounds)]
                        alone, together = (statistics.median(kind) for kind in zip(*rounds))
                        expected = predicted(alone, processes, case[3], gbit, microseconds)
                        off.append(abs(expected / together - 1))
                        figures = " | ".join(f"{1e3 * value:.1f}" for value in (alone, expected, together))
                        kind = f"{gbit:g} Gbit/s, {microseconds:g} us"
                        print(f"| {case[0]} | {case[1]} | {processes} | {kind} | {figures} | {expected / together:.2f} |", flush=True)
    sys.exit(int(max(off) > MOST_OFF))


if __name__ == "__main__":
    main()
