"""Parameterizations: how a synthetic set is stored."""
