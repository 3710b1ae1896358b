"""What tests in a browser share."""

from in_browser import browser, report, visit

__all__ = ["browser", "report", "visit"]
