"""The report of a scan, as `secure-torch scan --format json` has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_HIGH = ("high", "critical")


@dataclass(frozen=True)
class Finding:
    """Something that a loader of the file would do."""

    rule: str
    name: str
    severity: str
    cwe: tuple[str, ...]
    path: str
    offset: int
    subject: str
    message: str

    def __str__(self) -> str:
        """One line: member, offset, what would happen, rule."""
        at = f" at offset {self.offset:#x}" if self.offset >= 0 else ""
        return f"{self.path.replace('!', ' → ')}{at}: {self.message} [{self.rule} {self.severity}]"


@dataclass(frozen=True)
class Gap:
    """Something that a loader would read and nobody could examine."""

    rule: str
    path: str
    offset: int
    reason: str

    def __str__(self) -> str:
        """One line: member, why it was not examined, rule."""
        return f"{self.path.replace('!', ' → ')}: {self.reason} [{self.rule}]"


@dataclass(frozen=True)
class Report:
    """What is known of one file. `raw` is the whole JSON object."""

    path: str
    verdict: str
    threat_score: int
    threat_level: str
    formats: tuple[str, ...]
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    failure: str = ""
    raw: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Report:
        """Read one artifact of the JSON output."""
        findings = tuple(
            Finding(
                str(f["rule"]),
                str(f["name"]),
                str(f["severity"]),
                tuple(str(c) for c in f["cwe"]),
                str(f["path"]),
                int(f["offset"]),
                str(f["subject"]),
                str(f["message"]),
            )
            for f in raw["findings"]
        )
        gaps = tuple(Gap(str(g["rule"]), str(g["path"]), int(g["offset"]), str(g["reason"])) for g in raw["gaps"])
        return cls(
            path=str(raw["path"]),
            verdict=str(raw["verdict"]),
            threat_score=int(raw["threat_score"]),
            threat_level=str(raw["threat_level"]),
            formats=tuple(str(f) for f in raw["formats"]),
            findings=findings,
            gaps=gaps,
            failure=str(raw.get("failure", "")),
            raw=raw,
        )

    @property
    def safe(self) -> bool:
        """Whether nothing above info was found and nothing was left unexamined."""
        return self.verdict == "safe"

    @property
    def grave(self) -> tuple[Finding, ...]:
        """The findings that make the file unsafe: severity high or critical."""
        return tuple(f for f in self.findings if f.severity in _HIGH)

    def summary(self, limit: int = 3) -> str:
        """Give the worst findings, gaps or failure in one line each."""
        worst = sorted(self.findings, key=lambda f: ("critical", "high", "medium", "low", "info").index(f.severity))
        lines = [str(x) for x in [*worst, *self.gaps]]
        if self.failure:
            lines.insert(0, self.failure)
        if len(lines) > limit:
            lines[limit:] = [f"and {len(lines) - limit} more"]
        return "\n  ".join(lines)
