"""A process that has imported what the commands need and forks a child for each: a command without the seconds of its start.

The child is a process of its own: working directory, environment, standard streams and memory are its own, and nothing that it
does reaches the next one. Whatever acts at the start of an interpreter needs a real start.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

WARM = (
    *("experiments.cli", "experiments._wiring", "experiments._sweeps", "mitigation.api", "mitigation.analysis"),
    *("mitigation.reporting", "mitigation.robustness", "mitigation.trust", "mitigation.planning", "mitigation.runner"),
    *("mitigation.gateway", "openai", "anthropic", "scipy.stats", "statsmodels.api", "seaborn"),
    *("matplotlib.backends.backend_agg", "typst", "jinja2"),
)  # fmt: skip


class Zygote:
    """The process, started on entering the context."""

    def __enter__(self) -> Zygote:
        root = Path(__file__).resolve().parent.parent
        variables = os.environ | {"PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen([sys.executable, "-m", "tests.zygote"], cwd=root, env=variables, text=True, **pipes)
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()

    def run(
        self, arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str], timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run `python -m experiments ...` in a child and return what it printed and its exit code.

        Raises:
            TimeoutError: it took longer than `timeout` seconds and was killed.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            asked = {"arguments": list(arguments), "cwd": str(cwd), "environment": dict(environment), "timeout": timeout}
            self._process.stdin.write(json.dumps(asked | {"out": str(out), "err": str(err)}) + "\n")
            self._process.stdin.flush()
            code = json.loads(self._process.stdout.readline())
            said = out.read_text("utf-8", "backslashreplace"), err.read_text("utf-8", "backslashreplace")
        if code is None:
            raise TimeoutError(f"{arguments} took longer than {timeout} s: {said}")
        return subprocess.CompletedProcess(list(arguments), code, *said)


def serve() -> None:
    """Fork a child for each line of standard input and print its exit code; None stands for one that was killed."""
    for name in WARM:
        import_module(name)
    assert threading.active_count() == 1, "a fork keeps one thread only"
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(asked)
        timer = threading.Timer(asked["timeout"], os.kill, (child, 9))
        timer.start()
        status = os.waitpid(child, 0)[1]
        late = not timer.is_alive()
        timer.cancel()
        timer.join()
        print(json.dumps(None if late else os.waitstatus_to_exitcode(status)), file=answers, flush=True)


def _become(asked: Mapping[str, Any]) -> None:
    """Be the command, and never return."""
    code = 1
    try:
        os.setpgid(0, 0)
        os.chdir(str(asked["cwd"]))
        os.environ.clear()
        os.environ.update(asked["environment"])
        for number, path, flags in ((0, os.devnull, os.O_RDONLY), (1, asked["out"], os.O_WRONLY), (2, asked["err"], os.O_WRONLY)):
            os.dup2(os.open(str(path), flags | os.O_CREAT, 0o600), number)
        for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
        sys.path[0] = ""
        sys.argv = ["experiments", *asked["arguments"]]
        runpy.run_module("experiments", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
