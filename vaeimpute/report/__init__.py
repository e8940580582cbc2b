"""A page on what was missing in a matrix, how well it is restored, and what to be careful of."""

from vaeimpute.comparison.report import Facts, check_report, render_report

__all__ = ["Facts", "check_report", "render_report"]
