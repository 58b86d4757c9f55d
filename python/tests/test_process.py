"""The package in its process: import, threads, forks, the program."""

import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import numpy as np
import pytest

import gannet


def python(program, **options):
    """What a program prints."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, **options).stdout


def test_import_is_quick_starts_no_thread_and_imports_numpy_alone():
    program = """if True:
        import numpy, os, sys, time
        before, began = set(sys.modules), time.perf_counter()
        import gannet
        took = time.perf_counter() - began
        threads = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1
        print(took, threads, *sorted({name.split(".")[0] for name in set(sys.modules) - before}))
    """
    # NumPy may have started threads of its own.
    alone = "import numpy, os; print(len(os.listdir('/proc/self/task')) if os.path.isdir('/proc/self/task') else 1)"
    told = [python(program).split() for _ in range(5)]
    assert min(float(took) for took, *_ in told) < 0.05
    assert {int(threads) for _, threads, *_ in told} == {int(python(alone))}
    assert not {"sklearn", "pandas", "scipy", "matplotlib"} & set(told[0][2:])


def test_what_gannet_tells_of_itself():
    told = gannet.info()
    assert told["version"] == gannet.__version__ and told["isa"] in told["isas"] and told["processors"] >= 1


def test_everything_public_is_documented_and_typed():
    from gannet import _gannet

    stubs = Path(gannet.__file__).with_name("_gannet.pyi").read_text()
    assert Path(gannet.__file__).with_name("py.typed").exists()
    undocumented, untyped = [], []
    public = [getattr(gannet, name) for name in gannet.__all__] + [getattr(_gannet, name) for name in dir(_gannet)]
    for thing in public:
        if not callable(thing) or not thing.__module__ or not thing.__module__.startswith("gannet"):
            continue
        members = [thing] if not isinstance(thing, type) else [thing, *(getattr(thing, name) for name in vars(thing) if not name.startswith("_"))]
        for member in members:
            name = getattr(member, "__name__", None)
            if not getattr(member, "__doc__", None):
                undocumented.append((thing, name))
            if thing in vars(_gannet).values() and name and not re.search(rf"(def|class) {name}\b", stubs):
                untyped.append((thing, name))
    assert not undocumented and not untyped


@pytest.fixture
def fitted():
    """An estimator with two threads of its own."""
    return gannet.Gan(steps=20, threads=2, batch=256).fit(np.random.default_rng(1).normal(size=(300, 40)))


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="SKIPPED: the system has no fork")


def in_child(work):
    """What `work` comes to in the child of a fork, as text."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            told = repr(work())
        except BaseException as error:
            told = f"{type(error).__name__}: {error}"
        os.write(write, told.encode()[:4000])
        os._exit(0)
    os.close(write)
    for _ in range(300):
        if os.waitpid(child, os.WNOHANG)[0]:
            break
        time.sleep(0.1)
    else:
        os.kill(child, signal.SIGKILL)
        pytest.fail("the child hangs")
    with os.fdopen(read) as told:
        return told.read()


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_is_told_what_to_do(fitted):
    loss = gannet.ModularLoss("circle", batch=4)
    rows = np.zeros((4, 2), np.float32)
    for work in (fitted.train, fitted._state.trainer.parameters, lambda: loss.step(rows, rows), lambda: fitted.save("x")):
        told = in_child(work)
        assert told.startswith("ForkError") and 'start method "spawn" or "forkserver"' in told, told
    assert fitted.sample(2).shape == (2, 40)
    trainer = fitted._state.trainer
    assert in_child(trainer.stop).startswith("ForkError")
    assert trainer.run(1).step == 21, "the parent's run is not stopped"
    assert in_child(lambda: fitted.sample(2)).startswith("ForkError")

    def fit_anew():
        del fitted._state
        return gannet.Gan(steps=5, threads=2).fit(rows + np.arange(8).reshape(4, 2)).n_steps_

    assert in_child(fit_anew) == "5", "what a child makes itself works, and what it drops of the parent's does not hang it"
    assert fitted.sample(2).shape == (2, 40)


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_forked_in_a_call_makes_nothing(small, floats):
    told = []
    trainer = gannet.Trainer(small, floats, threads=1)
    make = lambda: gannet.Trainer(small, floats, threads=1)  # noqa: E731
    trainer.run(1, progress=lambda report: told.append(in_child(make)))
    assert told[0].startswith("ForkError") and "while a call of gannet was in progress" in told[0], told
    assert "Trainer" in in_child(make)


@pytest.mark.skipif(sys.platform != "linux", reason="SKIPPED: the system has no limit of the address space that it keeps")
def test_results_beyond_the_memory_are_an_error():
    program = """if True:
        import resource
        import numpy, gannet
        from gannet import _gannet
        sampler = gannet.Trainer("circle", numpy.ones((64, 2)), batch=32, threads=1).sampler()
        labelled = gannet.Gan(steps=1, threads=1).fit(numpy.random.default_rng(1).normal(size=(60, 2)), ["a", "b", "c"] * 20)
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30), resource.getrlimit(resource.RLIMIT_AS)[1]))
        for call in (
            lambda: sampler.sample(2**32),
            lambda: sampler.sample(2**28),
            lambda: _gannet.classes_of_samples([1, 2], 2**32),
            lambda: labelled.sample(2**32),
        ):
            try:
                call()
            except MemoryError:
                print("MemoryError")
    """
    assert python(program).split() == ["MemoryError"] * 4


# What children inherit.
inherited = []


def use_inherited(_=None):
    """What a child comes to with a trainer of its parent's, and with one of its own."""
    try:
        inherited[0].run(1)
    except gannet.ForkError as error:
        return str(error), gannet.Trainer("circle", np.ones((64, 2)), batch=32).run(2).step
    return "it ran", 0


def send_inherited(pipe):
    """The same of a process."""
    pipe.send(use_inherited())


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_processes_and_pools_that_fork_are_told_and_do_not_hang(fitted):
    context = multiprocessing.get_context("fork")
    inherited[:] = [fitted._state.trainer]
    try:
        receive, send = context.Pipe(duplex=False)
        process = context.Process(target=send_inherited, args=(send,))
        process.start()
        told = [receive.recv() if receive.poll(60) else ("the child hangs", 0)]
        process.join(60)
        assert process.exitcode == 0
        with context.Pool(2) as pool:
            told += pool.map_async(use_inherited, range(4), chunksize=1).get(60)
    finally:
        inherited.clear()
    assert len(told) == 5
    assert all('start method "spawn" or "forkserver"' in text and steps == 2 for text, steps in told), told


def sample_in_worker(gan):
    """What a worker process makes of an estimator that is handed to it."""
    return gan.sample(3, random_state=1)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_workers_get_estimators_as_pickles(fitted, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"SKIPPED: the system has no {method}")
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert (pool.apply(sample_in_worker, (fitted,)) == fitted.sample(3, random_state=1)).all()


def test_the_program_runs_in_the_process(tmp_path):
    module = [sys.executable, "-m", "gannet"]
    script = shutil.which("gannet", path=sysconfig.get_path("scripts"))
    for command in [module, *([[script]] if script else [])]:
        told = subprocess.run([*command, "info", "--json"], check=True, capture_output=True, text=True).stdout
        assert json.loads(told)["isa"] == gannet.info()["isa"]
        wrong = subprocess.run([*command, "train", "circel"], capture_output=True, text=True, cwd=tmp_path)
        assert wrong.returncode == 2 and wrong.stderr.startswith("error:")
        missing = subprocess.run([*command, "evaluate", "none"], capture_output=True, text=True, cwd=tmp_path)
        assert missing.returncode == 1 and missing.stderr.startswith("error:")
    assert subprocess.run([*module, "--version"], check=True, capture_output=True, text=True).stdout == f"gannet {gannet.__version__}\n"


def test_ctrl_c_ends_the_program_as_it_does_elsewhere(tmp_path):
    command = [sys.executable, "-m", "gannet", "train", "circle", "--steps", "10000000", "--out", "run", "--quiet"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as program:
        for _ in range(200):
            if (tmp_path / "run" / "metrics.csv").exists():
                break
            time.sleep(0.05)
        time.sleep(0.3)
        program.send_signal(signal.SIGINT)
        _, told = program.communicate(timeout=60)
    assert program.returncode == 130 and "Traceback" not in told, told
    assert "--resume" in told
