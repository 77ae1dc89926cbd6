"""st.walk_pickle: what a pickle would call, without unpickling it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Optional

from . import _binary
from ._source import FileLike, opened
from .errors import IncompleteScanError, PickleExecutionError
from .report import Report


def walk_pickle(data: FileLike, allowlist: Optional[Collection[str]] = None) -> list[str]:
    """Return the callables ("collections.OrderedDict") that unpickling data would call, in alphabetical order.

    With an allowlist, a call of anything that is not in it raises PickleExecutionError, even where its result is
    thrown away. Without one the scanner's verdict decides. A stream that can't be read to its end raises
    IncompleteScanError.
    """
    with opened(data) as source:
        answer = _binary.index(source.fd, source.name, "always")
    report = Report.from_json(answer.report)
    calls = answer.calls
    if allowlist is None:
        grave = [f for f in report.grave if f.name.startswith("pickle-")]
    else:
        grave = [f for f in report.grave if f.name.startswith("pickle-") and f.subject not in allowlist]
    if grave:
        raise PickleExecutionError("\n".join(map(str, grave)), report)
    if answer.graph is None:
        raise IncompleteScanError(f"{report.path}: {answer.failure or report.summary()}", report)
    outside = [] if allowlist is None else [name for name in calls if name not in allowlist]
    if outside:
        raise PickleExecutionError(f"{report.path} would call {', '.join(outside)}: not in the allowlist", report)
    return calls
