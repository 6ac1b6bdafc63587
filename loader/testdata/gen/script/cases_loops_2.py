"""The cases of cases_loops.py from PyTorch 2.14."""

from cases_loops import cases  # noqa: F401

NEEDS = (2, 14)
