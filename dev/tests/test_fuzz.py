"""The parser under a fuzzer that looks which code each input reaches."""

import importlib.util
import os
import re
import subprocess

import pytest

from dev import paths
from dev.stack import Stack

SECONDS = os.environ.get("FUZZ_SECONDS", "20")
LEAST = 5_000
"""Inputs that even a slow machine tries in that time."""


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="no fuzzer for this machine: atheris has no binary for it",
)
def test_no_bytes_make_the_parser_fail_whatever_code_they_reach(stack: Stack) -> None:
    done = subprocess.run(
        [str(stack.env.python), "-m", "dev.fuzz", stack.series, SECONDS],
        cwd=paths.REPOSITORY,
        env=stack.variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=int(SECONDS) * 5 + 120,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    [tried] = re.findall(r"stat::number_of_executed_units: (\d+)", done.stdout)
    assert int(tried) >= LEAST
