"""What an exception says, in one sentence."""

from __future__ import annotations

from hydra.errors import MissingConfigException, OverrideParseException

from cl3d.errors import InputError


def sentence(error: BaseException) -> str:
    """What went wrong, in one line; of a chain of exceptions the one that knows best."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, InputError):
            return str(cause)
        cause = cause.__cause__
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        choices = ", ".join(sorted(error.options or ()))
        more = "; pip install cl3d[sweeps] brings more" if "launcher" in error.missing_cfg_file else ""
        return f"{error.missing_cfg_file} is not there: choose one of {choices}{more}"
    if isinstance(error, OverrideParseException):
        return f"{error.override} cannot be read: write key=value, and quote values with brackets or commas"
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if "Could not override" in lines[0]:
        lines = [lines[0].rstrip("."), "it is not a setting of this script: --help lists them"]
        return ": ".join(lines)
    return " ".join(line for line in lines if not line.startswith(("full_key:", "object_type=")))
