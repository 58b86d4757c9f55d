#!/usr/bin/env python3
"""What a step of processes that share a batch takes, between network namespaces with given speeds and latencies, beside what the model of
docs/many-machines.md predicts.

    mpi/scripts/cost.py                        circle
    mpi/scripts/cost.py --mnist DIR            mnist as well, from the four IDX files in DIR

Needs Linux, root, cargo, gcc, iproute2 and Open MPI. The processes are on the processors of this machine, and share these where they are more. So the
model is given what it needs as they have it: the steps of the processes' parts of the batch, on all processors at once and without an exchange,
and the time of messages between processes that do nothing but exchange (`exchange.c`). Each figure is the median of rounds in turn. A
prediction that is off by more than a fifth ends the script with status 1.
"""

import argparse
import contextlib
import json
import math
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Gbit a second, and microseconds.
NETWORKS = [(10.0, 50.0), (1.0, 200.0)]
# Preset, batch, steps of a run, parameters of both networks.
CASES = [("circle", 4096, 200, 11_411), ("circle", 65_536, 20, 11_411), ("mnist", 256, 20, 2_946_577), ("mnist", 4096, 4, 2_946_577)]
# What processes tell each other beside the gradients of two networks: a signal after the passes of each.
SIGNALS = 2
# Of the gradients whose exchange tells the bytes a second: about a network of mnist.
GRADIENTS = 6_000_000
MOST_OFF = 0.2
# The namespaces of this run of the script have its number before their own.
NAMESPACE = f"gannet-{os.getpid()}-"
# Open MPI over the link alone, as between machines, without binding processes to processors that others use, too, and with long messages that go both
# ways at once. Sockets hold little: what acknowledges the other direction waits behind it.
SETTINGS = {
    "btl_tcp_flags": "send,inplace",
    "btl_tcp_sndbuf": "131072",
    "btl": "tcp,self",
    "btl_tcp_if_include": "link",
    "oob_tcp_if_include": "link",
    "mpi_yield_when_idle": "1",
    "hwloc_base_binding_policy": "none",
}


@contextlib.contextmanager
def network(folder, gbit, microseconds, ends):
    """Namespaces with a link between them; their names."""
    names = [f"{NAMESPACE}{number}" for number in range(1, ends + 1)]
    link = folder / "link"
    try:
        for name in names:
            subprocess.run(["ip", "netns", "add", name], check=True)
        running = subprocess.Popen([link, str(gbit), str(microseconds), *names], stdout=subprocess.PIPE, text=True)
        try:
            if running.stdout.readline().strip() != "ready":
                sys.exit("there is no link")
            for name in names:
                # The kernel keeps the speed, so that its sockets know what is on its way, as with a network card: packets that wait elsewhere
                # would hold up what acknowledges those of the other direction, and halve the speed of both.
                limit = ["rate", f"{gbit}gbit", "burst", "130000", "limit", "33000000"]
                subprocess.run(["ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", "link", "root", "tbf", *limit], check=True)
                # The kernel's default way of sending, whatever this machine is set to.
                route = ["10.77.0.0/24", "dev", "link", "congctl", "cubic"]
                subprocess.run(["ip", "-netns", name, "route", "change", *route], check=True)
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
    inside = f'ip netns exec {NAMESPACE}${{host##*.}} unshare --uts sh -c "hostname $host; $*"'
    path.write_text(f"#!/bin/sh\nhost=$1\nshift\nexec {inside}\n")
    path.chmod(0o755)
    return path


def job(folder, names, command):
    """A command by mpirun: a process in each namespace."""
    hosts = ",".join(f"10.77.0.{number}:1" for number in range(1, len(names) + 1))
    settings = [part for setting in SETTINGS.items() for part in ("--mca", *setting)]
    begin = ["ip", "netns", "exec", names[0], "unshare", "--uts", "sh", "-c", 'hostname 10.77.0.1; exec "$@"', "sh"]
    mpirun = ["mpirun", "--allow-run-as-root", "--mca", "plm_rsh_agent", agent(folder), *settings]
    return [str(part) for part in [*begin, *mpirun, "--host", hosts, "-n", len(names), *command]]


class Measured:
    """Trainings of a case, in parts that exchange nothing and together."""

    def __init__(self, program, folder, mnist):
        self.program, self.folder, self.mnist = program, folder, mnist
        self.runs = 0

    def training(self, case, processes, shards, steps):
        """A command, and its run: of a batch in so many shards, whose samples are those of the case for each of these, of all processes."""
        preset, batch, _, _ = case
        self.runs += 1
        run = self.folder / f"run-{self.runs}"
        data = ["--data", self.mnist] if preset == "mnist" else ["--points", 65_536]
        size = ["--batch", batch * shards // processes, "--shards", shards, "--steps", steps, "--threads", 1, "--engine", "native"]
        quiet = ["--quiet", "--checkpoint-steps", steps, "--evaluate-every", steps, "--report-every", steps, "--out", run]
        return [str(part) for part in [self.program, "train", preset, *data, *size, *quiet]], run

    def step(self, steps, runs):
        """Seconds of a step of these runs, which are not kept."""
        seconds = statistics.mean(json.loads((run / "run.json").read_text())["seconds"] for run in runs)
        for run in runs:
            shutil.rmtree(run)
        return seconds / steps

    def parts(self, case, processes):
        """Seconds of a step of so many processes with a part of the batch each, if every processor works on as many of them, one after another."""
        at_once = min(processes, len(os.sched_getaffinity(0)))
        # As long as a training of all takes: the first step is slower than others.
        steps = case[2] * processes // at_once
        trainings = [self.training(case, processes, 1, steps) for _ in range(at_once)]
        running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command, _ in trainings]
        if any([process.wait() for process in running]):
            sys.exit("a training failed")
        return self.step(steps, [run for _, run in trainings]) * processes / at_once

    def together(self, case, names):
        """Seconds of a step of a process for each namespace."""
        command, run = self.training(case, len(names), len(names), case[2])
        subprocess.run(job(self.folder, names, command), check=True, stdout=subprocess.DEVNULL)
        return self.step(case[2], [run])

    def message(self, names):
        """Seconds of a short message, and bytes a second of each process in an exchange of gradients."""
        command = job(self.folder, names, [self.folder / "exchange", GRADIENTS])
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
        short, exchange = (1e-6 * float(microseconds) for microseconds in printed)
        processes = len(names)
        return short, 2 * GRADIENTS * (1 - 1 / processes) / (exchange - 2 * math.log2(processes) * short)


def predicted(part, processes, parameters, latency, speed):
    """Seconds of a step by the model."""
    # Two networks are halved and put together again, and a signal goes each way at once.
    messages = (2 * 2 + SIGNALS) * math.log2(processes)
    return part + messages * latency + 8 * parameters * (1 - 1 / processes) / speed


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
    print("| network | processes | message, us | MB/s | preset | batch | parts, ms | predicted, ms | measured, ms | predicted / measured |")
    print("|---|---:|---:|---:|---|---:|---:|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory(prefix="gannet-cost-") as place:
        folder = pathlib.Path(place)
        subprocess.run(["gcc", "-std=c11", "-O2", HERE / "link.c", "-o", folder / "link"], check=True)
        subprocess.run(["mpicc", "-std=c11", "-O2", HERE / "exchange.c", "-o", folder / "exchange"], check=True)
        measured = Measured(program.resolve(), folder, given.mnist and given.mnist.resolve())
        for gbit, microseconds in NETWORKS:
            for processes in map(int, given.processes.split(",")):
                with network(folder, gbit, microseconds, processes) as names:
                    for case in cases:
                        rounds = [(*measured.message(names), measured.parts(case, processes), measured.together(case, names)) for _ in range(given.rounds)]
                        latency, speed, part, together = (statistics.median(kind) for kind in zip(*rounds))
                        expected = predicted(part, processes, case[3], latency, speed)
                        off.append(abs(expected / together - 1))
                        link = f"{gbit:g} Gbit/s, {microseconds:g} us | {processes} | {1e6 * latency:.0f} | {1e-6 * speed:.0f}"
                        figures = " | ".join(f"{1e3 * value:.1f}" for value in (part, expected, together))
                        print(f"| {link} | {case[0]} | {case[1]} | {figures} | {expected / together:.2f} |", flush=True)
    sys.exit(int(max(off) > MOST_OFF))


if __name__ == "__main__":
    main()
