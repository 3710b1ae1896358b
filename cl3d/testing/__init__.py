"""Contracts as checks: what a component of your own has to pass to be used like those of the library."""
