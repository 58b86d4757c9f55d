#!/usr/bin/env python3
"""Times gannet and its peers on the presets, all in one run, and writes the table of ratios.

    benches/peers/run.py > peers.md                             everything: an hour, of which a third is installing
    benches/peers/run.py --keep DIR                             installs into DIR, or takes what an earlier run put there
    benches/peers/run.py --peers jax,torch --presets circle     a part
    benches/peers/run.py --cases circle:1024:2,mnist:4096:2     other cases: PRESET:BATCH:THREADS
    benches/peers/run.py --avx2                                 all programs kept to AVX2

Needs Linux, Python 3.10 or newer with venv, cargo, gcc and g++, and the package registries. README.md says what is measured.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

CASES = [
    ("circle", 32, 1), ("circle", 256, 1), ("circle", 4_096, 2), ("circle", 65_536, 2),
    ("gaussian2d", 32, 1), ("gaussian2d", 1_024, 1),
    ("mixture1d", 32, 1), ("mixture1d", 1_024, 1),
    ("mnist", 100, 2), ("mnist", 1_024, 2),
    ("circle+r1r2", 256, 1), ("mnist+r1r2", 1_024, 2),
]  # fmt: skip
# What follows a preset's name where penalties join D's loss, gannet's options for that, and the peers that have them.
PENALIZED, PENALTIES, PENALIZED_PEERS = "+r1r2", "--r1 1 --r2 1", ["torch", "jax"]
PEERS = ["torch", "jax", "onednn", "candle", "burn"]
TITLES = {"torch": "PyTorch", "jax": "JAX", "onednn": "oneDNN", "candle": "candle", "burn": "burn"}
# What pip installs for a peer.
PYTHON_PACKAGES = {
    "torch": ["torch==2.15.0", "scipy-openblas32==0.3.34.481.3"],
    "jax": ["jax==0.10.2"],
    "onednn": ["onednn-devel-cpu-gomp==2023.2.0"],
}
# The peers that are Python programs, and those that cargo builds.
PYTHON_PEERS = ["torch", "jax"]
RUST_PEERS = ["candle", "burn"]

# A setting that is slower than its peer's best by more than this in the first round is not measured again.
CLOSE = 0.9
# A process that takes longer than this, in seconds, counts as failed: compiling takes some seconds.
PATIENCE = 600
# Large tensors stay with the process instead of being given back to the system, and cleared by it, in every step.
MALLOC = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "4294967296", "MALLOC_TOP_PAD_": "67108864"}

# What keeps each program to AVX2, so that processors without AVX-512 can be compared on one that has it. XLA and PyTorch carry
# oneDNN in themselves. candle and burn choose when they run, and nothing tells them otherwise.
AVX2 = {
    "gannet": {"GANNET_ISA": "avx2"},
    "torch": {
        "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
    },
    "jax": {"XLA_FLAGS": "--xla_cpu_max_isa=AVX2 --xla_cpu_prefer_vector_width=256", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "onednn": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
}  # fmt: skip


def note(text):
    print(text, file=sys.stderr, flush=True)


def install_packages(environment, packages):
    """Installs packages into a Python environment, which is made if it is missing; its interpreter."""
    python = environment / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", environment], check=True, stdout=sys.stderr)
    note(f"installing {', '.join(packages)}")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *packages], check=True, stdout=sys.stderr)
    return python


def built():
    """The program, built from this checkout."""
    subprocess.run(["cargo", "build", "--release", "--target-dir", "target"], cwd=ROOT, check=True, stdout=sys.stderr)
    return ROOT / "target/release/gannet"


class Environment:
    """A folder with everything the peers need: a Python environment and the built programs."""

    def __init__(self, folder, avx2):
        self.folder, self.avx2 = folder, avx2
        self.python = folder / "venv/bin/python"
        self.cargo = folder / "cargo"
        self.onednn = folder / ("peer-onednn-avx2" if avx2 else "peer-onednn")
        # What is loaded before PyTorch, by the end of a setting.
        self.preloaded = {name: folder / f"lib{name}-for-torch.so" for name in ("openblas", "intel")}

    def install(self, peers):
        """Installs what is missing for these peers."""
        packages = sorted({package for peer in peers for package in PYTHON_PACKAGES.get(peer, [])})
        if packages:
            install_packages(self.folder / "venv", packages)
        if "torch" in peers:
            self.build_preloaded()
        if "onednn" in peers:
            self.build_onednn()
        for peer in peers:
            if peer in RUST_PEERS:
                note(f"building {peer}")
                command = ["cargo", "build", "--release", "--locked", "--package", f"peer-{peer}"]
                settings = {"CARGO_TARGET_DIR": str(self.cargo), "RUSTFLAGS": "-C target-cpu=native"}
                subprocess.run(command, check=True, cwd=HERE, env=os.environ | settings, stdout=sys.stderr)

    def build_onednn(self):
        """For this very processor, or for any with AVX2."""
        note("building onednn")
        # Where pip put headers and library.
        prefix = (self.folder / "venv").resolve()
        target = "x86-64-v3" if self.avx2 else "native"
        options = f"-std=c++20 -O3 -march={target} -mprefer-vector-width=512 -ffast-math -fopenmp -Wall -Wextra".split()
        libraries = [f"-I{prefix}/include", f"-L{prefix}/lib", "-ldnnl", f"-Wl,-rpath,{prefix}/lib"]
        command = ["g++", *options, HERE / "onednn/peer.cpp", "-o", self.onednn, *libraries]
        subprocess.run(command, check=True, stdout=sys.stderr)

    def build_preloaded(self):
        """Libraries that change which products PyTorch computes with."""
        script = "import scipy_openblas32 as blas; print(blas.get_lib_dir(), blas.get_library())"
        found = subprocess.run([self.python, "-c", script], check=True, capture_output=True, text=True).stdout
        folder, library = found.split()
        libraries = {"openblas": [f"-L{folder}", f"-l{library}", f"-Wl,-rpath,{folder}"], "intel": []}
        for name, file in self.preloaded.items():
            command = ["gcc", "-O2", "-shared", "-fPIC", HERE / f"python/{name}.c", "-o", file, *libraries[name]]
            subprocess.run(command, check=True, stdout=sys.stderr)

    def program(self, peer):
        """The beginning of a peer's command."""
        if peer in PYTHON_PEERS:
            return [self.python, HERE / f"python/{peer}_peer.py"]
        return [self.onednn if peer == "onednn" else self.cargo / f"release/peer-{peer}"]

    def variables(self, peer, threads, setting):
        """The environment variables of a program's process."""
        variables = os.environ | (AVX2[peer] if self.avx2 else {})
        if peer == "gannet":
            return variables
        if (library := setting.partition(":")[2]) in self.preloaded:
            variables["LD_PRELOAD"] = str(self.preloaded[library])
        names = ["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"]
        return variables | MALLOC | {name: str(threads) for name in names}


def settings(peer, case):
    """The settings of a peer that are tried in a case."""
    preset, batch, _ = case
    if peer == "torch":
        return ["fused", "foreach", "compile", "fused:intel", "compile:intel", "fused:openblas"]
    if peer == "onednn":
        return ["blocked", "plain"]
    if peer == "jax":
        generators = ["threefry2x32", "rbg", "unsafe_rbg"]
        # Noise of several steps at once, and an unrolled loop, help only where a step is short.
        short = not preset.startswith("mnist") and batch <= 1_024
        return generators + (["threefry2x32:16", "threefry2x32:16:4", "threefry2x32:64:8"] if short else [])
    return [""]


def result(command, variables):
    """What the program reports, or the reason why it failed."""
    try:
        done = subprocess.run(
            [str(part) for part in command], env=variables, capture_output=True, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return None, f"took longer than {PATIENCE} s"
    if done.returncode:
        return None, (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
    return json.loads(done.stdout.strip().splitlines()[-1]), None


class Contest:
    """The rates of every peer, setting and case, round by round."""

    def __init__(self, gannet, environment, peers, cases, skip):
        self.gannet, self.environment, self.peers, self.cases, self.skip = gannet, environment, peers, cases, skip
        # By case and (peer, setting); gannet is a peer too, without a setting.
        self.rates = {case: {} for case in cases}
        self.versions = {}
        self.kept_to = ", all programs kept to AVX2" if environment.avx2 else ""

    def round(self):
        for case in self.cases:
            for peer in ["gannet", *self.peers]:
                for setting in self.worthwhile(case, peer):
                    self.measure(case, peer, setting)

    def worthwhile(self, case, peer):
        """All settings in the first round, then those close to the peer's best of that round."""
        if peer == "gannet":
            return [""]
        if case[0].endswith(PENALIZED) and peer not in PENALIZED_PEERS:
            return []
        first = {key[1]: rates[0] for key, rates in self.rates[case].items() if key[0] == peer and rates}
        if any(key[0] == peer for key in self.rates[case]):
            return [setting for setting, rate in first.items() if rate >= CLOSE * max(first.values())]
        return [setting for setting in settings(peer, case) if not any(word in setting for word in self.skip)]

    def measure(self, case, peer, setting):
        preset, batch, threads = case
        if peer == "gannet":
            plain = preset.removesuffix(PENALIZED)
            penalties = PENALTIES if plain != preset else ""
            options = f"--preset {plain} {penalties} --batch {batch} --threads {threads} --engine native --json"
            command = [self.gannet, "bench", *options.split()]
        else:
            command = [*self.environment.program(peer), preset, batch, threads, *([setting] if setting else [])]
        variables = self.environment.variables(peer, threads, setting)
        rates = self.rates[case].setdefault((peer, setting), [])
        row, problem = result(command, variables)
        label = f"{preset} {batch} x {threads}: {peer} {setting}".rstrip()
        if problem:
            note(f"{label}: {problem}")
            return
        rates.append(row["samples_per_second"])
        self.versions.setdefault(peer, row.get("version"))
        note(f"{label}: {rates[-1]:,.0f}")

    def best(self, case, peer):
        """The median of the peer's best setting; `None` if nothing ran."""
        medians = [statistics.median(rates) for key, rates in self.rates[case].items() if key[0] == peer and rates]
        return max(medians, default=None)


def table(contest, rounds):
    """The Markdown: one row a case; the rate of each program and what multiple of it gannet does."""
    versions = [f"{TITLES[peer]} {contest.versions[peer]}" for peer in contest.peers if contest.versions.get(peer)]
    lines = [
        f"{datetime.date.today()}, commit {commit()}, {processor()}{contest.kept_to}. {'; '.join(versions)}.",
        f"Samples a second of each program's best setting, the median of {rounds} rounds of separate processes in turn; in brackets "
        "gannet's multiple of it.",
        "",
        "| preset | batch | threads | gannet | " + " | ".join(TITLES[peer] for peer in contest.peers) + " |",
        "|---|---:|---:|---:|" + "---:|" * len(contest.peers),
    ]
    for case in contest.cases:
        preset, batch, threads = case
        own = contest.best(case, "gannet")
        cells = [preset, f"{batch:,}", str(threads), f"{own:,.0f}" if own else "-"]
        for peer in contest.peers:
            rate = contest.best(case, peer)
            cells.append(f"{rate:,.0f} (**{significant(own / rate)}**)" if own and rate else "-")
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "Every setting; those measured in fewer rounds were well behind their peer's best in the first.", ""]
    lines += ["| preset | batch | threads | peer | setting | rounds | samples/s | gannet's multiple |"]
    lines += ["|---|---:|---:|---|---|---:|---:|---:|"]
    for case in contest.cases:
        own = contest.best(case, "gannet")
        for (peer, setting), rates in contest.rates[case].items():
            if peer != "gannet" and own and rates:
                rate = statistics.median(rates)
                cells = [case[0], f"{case[1]:,}", str(case[2]), TITLES[peer], f"`{setting}`" if setting else ""]
                cells += [str(len(rates)), f"{rate:,.0f}", significant(own / rate)]
                lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def significant(ratio):
    """Three digits at least, none of them made up: 1.23, 12.3, 1,234."""
    digits = 2 if ratio < 10 else 1 if ratio < 100 else 0
    return f"{ratio:,.{digits}f}"


def commit():
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def processor():
    with contextlib.suppress(OSError):
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.split(':')[1].strip()}, {os.cpu_count()} processors"
    return platform.processor() or "an unknown processor"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=",".join(PEERS), help="which peers (all: %(default)s)")
    parser.add_argument("--presets", help="only the cases of these presets")
    parser.add_argument("--cases", help="PRESET:BATCH:THREADS,... instead of the usual ones")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (%(default)s); the median counts")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="install into DIR and leave it for later runs")
    parser.add_argument("--gannet", type=pathlib.Path, metavar="PATH", help="the program; without it, it is built")
    parser.add_argument("--skip", default="", metavar="WORDS", help="no settings with one of these words, such as compile,openblas")
    parser.add_argument("--avx2", action="store_true", help="keep all programs to AVX2 (not candle and burn: they cannot be)")
    given = parser.parse_args()
    given.peers, given.skip = given.peers.split(","), [word for word in given.skip.split(",") if word]
    if unknown := set(given.peers) - set(PEERS):
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    if given.avx2:
        given.peers = [peer for peer in given.peers if peer in AVX2]
    cases = CASES
    if given.cases:
        try:
            cases = [(name, int(batch), int(threads)) for name, batch, threads in
                     (case.split(":") for case in given.cases.split(","))]  # fmt: skip
        except ValueError:
            parser.error("--cases takes PRESET:BATCH:THREADS,...")
    if given.presets:
        cases = [case for case in cases if case[0] in given.presets.split(",")]
    known = {case[0] for case in CASES}
    if not cases or any(case[0] not in known for case in cases):
        parser.error(f"the presets are {', '.join(sorted(known))}")
    given.cases = cases
    return given


def main():
    given = arguments()
    gannet = given.gannet or built()
    with contextlib.ExitStack() as stack:
        folder = given.keep or pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gannet-peers-")))
        folder.mkdir(parents=True, exist_ok=True)
        environment = Environment(folder.resolve(), given.avx2)
        environment.install(given.peers)
        contest = Contest(gannet.resolve(), environment, given.peers, given.cases, given.skip)
        for number in range(1, given.rounds + 1):
            note(f"round {number} of {given.rounds}")
            contest.round()
        print(table(contest, given.rounds))


if __name__ == "__main__":
    main()
