"""secure-torch: load model files without running them.

    import secure_torch as st
    state = st.load("model.pt")

What torch.load would execute is never executed: the file is scanned and indexed by a Go program in a confined
process, and rebuilt from plain data. This package never imports pickle to load.
"""

from __future__ import annotations

from ._version import __version__
from .convert import convert, save
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
from .hub import from_pretrained, patch_huggingface, unpatch_huggingface
from .loader import Sandbox, load, scan
from .opaque import Opaque
from .others import joblib_load, numpy_load, onnx_session, torchscript
from .provenance import Provenance, ProvenanceVerifier
from .report import Finding, Gap, Report
from .walker import walk_pickle

__all__ = [
    "Finding",
    "Gap",
    "IncompleteScanError",
    "Opaque",
    "OpaqueObjectError",
    "PickleExecutionError",
    "PolicyError",
    "Provenance",
    "ProvenanceVerifier",
    "Report",
    "Sandbox",
    "SandboxUnavailable",
    "SecurityError",
    "UnsafeModelError",
    "UnsupportedFormatError",
    "UnverifiedModelError",
    "__version__",
    "convert",
    "from_pretrained",
    "joblib_load",
    "load",
    "numpy_load",
    "onnx_session",
    "patch_huggingface",
    "save",
    "scan",
    "torchscript",
    "unpatch_huggingface",
    "walk_pickle",
]
