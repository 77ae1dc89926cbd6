"""secure-torch: load model files without running them.

    import secure_torch as st
    state = st.load("model.pt")

What torch.load would execute is never executed: the file is scanned and indexed by a Go program in a confined
process, and rebuilt from plain data. This package never imports pickle to load.
"""

from __future__ import annotations

from ._version import __version__
from .errors import (
    IncompleteScanError,
    OpaqueObjectError,
    PickleExecutionError,
    PolicyError,
    SandboxUnavailable,
    SecurityError,
    UnsafeModelError,
    UnsupportedFormatError,
    UnverifiedModelError,
)
from .loader import Sandbox, load, scan
from .opaque import Opaque
from .report import Finding, Gap, Report

__all__ = [
    "Finding",
    "Gap",
    "IncompleteScanError",
    "Opaque",
    "OpaqueObjectError",
    "PickleExecutionError",
    "PolicyError",
    "Report",
    "Sandbox",
    "SandboxUnavailable",
    "SecurityError",
    "UnsafeModelError",
    "UnsupportedFormatError",
    "UnverifiedModelError",
    "__version__",
    "load",
    "scan",
]
