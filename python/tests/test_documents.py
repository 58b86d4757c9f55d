"""What the documents show runs, with fewer steps."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("document", ["README.md", "docs/embedding.md", "python/README.md"])
def test_the_examples_in_python_run(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    programs = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL)
    assert programs
    for program in programs:
        exec(compile(re.sub(r"(steps=|run\()\d_000", r"\g<1>100", program), document, "exec"), {})
    if "README" in document:
        picture = (tmp_path / "ellipse.png").read_bytes()
        assert picture.startswith(b"\x89PNG") and len(picture) > 10_000


def test_the_example_of_own_data_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = (ROOT / "python/examples/own_data.py").read_text(encoding="utf-8")
    exec(compile(program.replace("steps=5_000", "steps=100"), "own_data.py", "exec"), {})
    assert (tmp_path / "own_data.png").stat().st_size > 10_000
