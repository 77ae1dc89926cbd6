"""What st.load raises. Every error carries the scan's report, so that a caller can log what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from .report import Report


class SecurityError(Exception):
    """A model was refused. `report` is what the scan found, None when there was no scan."""

    report: Optional[Report]

    def __init__(self, message: str, report: Optional[Report] = None) -> None:
        """Make the error; `report` may be left out where nothing was scanned."""
        super().__init__(message)
        self.report = report


class UnsafeModelError(SecurityError):
    """Loading the file would do harm, or its threat score is above what the caller allows."""


class PickleExecutionError(UnsafeModelError):
    """A pickle in the file would call something on load."""


class OpaqueObjectError(UnsafeModelError):
    """The file holds objects of classes that are never imported; allow_opaque=True gives inert stand-ins."""


class UnverifiedModelError(SecurityError):
    """A signature was asked for and the model has none that holds."""


class PolicyError(SecurityError):
    """A policy denies the model, or could not be evaluated."""


class IncompleteScanError(SecurityError):
    """Something in the file could not be examined or rebuilt: it is not known to be safe."""


class UnsupportedFormatError(IncompleteScanError):
    """The file was examined, but there is no pickle-free way to load it (yet)."""


class SandboxUnavailable(SecurityError):
    """The confinement that was asked for can't be had on this machine."""
