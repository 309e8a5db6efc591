"""The report of a run: one page without network, with pictures in it."""

from lab.report.page import report_page

__all__ = ["report_page"]
