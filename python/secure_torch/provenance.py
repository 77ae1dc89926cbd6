"""Who signed a model: OpenSSF Model Signing and Sigstore bundles, verified by the Go program without a connection."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union

from . import _binary
from ._source import FileLike, Source, opened
from .errors import UnverifiedModelError

PathLike = Union[str, "os.PathLike[str]"]
Publisher = Union[Mapping[str, str], Sequence[str]]


@dataclass(frozen=True)
class Provenance:
    """What is known of a signature. `code` is stable ("verified", "unsigned", "tampered" …), `message` says why, `hint` what
    to do.

    `verified`: signed by one of those who were named, and unchanged since. `valid`: signed by somebody, and unchanged.
    """

    verified: bool
    valid: bool
    code: str
    message: str
    method: Optional[str]
    kind: Optional[str]
    signer: Optional[str]
    issuer: Optional[str]
    timestamp: Optional[str]
    log: Optional[str]
    log_index: Optional[int]
    unsigned_files: tuple[str, ...]
    hint: str
    raw: dict[str, Any]

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Provenance:
        """Read the output of `secure-torch verify --format json`."""
        signature = dict(told["signature"])
        return cls(
            verified=told["verified"] is True,
            valid=signature["state"] in ("verified", "valid"),
            code=str(signature.get("code", "")),
            message=str(signature.get("message", "")),
            method=signature.get("method"),
            kind=signature.get("kind"),
            signer=signature.get("signer"),
            issuer=signature.get("issuer"),
            timestamp=signature.get("signed_at"),
            log=signature.get("log"),
            log_index=signature.get("log_index"),
            unsigned_files=tuple(signature.get("unsigned_files") or ()),
            hint=str(told.get("hint", "")),
            raw=signature,
        )


def verify(
    source: Source, bundle: Optional[PathLike], keys: Iterable[PathLike] = (), publishers: Iterable[Publisher] = ()
) -> Provenance:
    """Verify an open file. With several publishers any one of them will do; what is returned is the best there is."""
    options = signers(bundle, keys, ())
    found: Optional[Provenance] = None
    for identity, issuer in [_pair(p) for p in publishers] or [("", "")]:
        who = [f"--identity={identity}", f"--issuer={issuer}"] if identity else []
        found = Provenance.from_json(_binary.verify(source.fd, source.name, [*options, *who]))
        if found.verified:
            break
    assert found is not None  # noqa: S101 the loop runs at least once
    return found


def signers(bundle: Optional[PathLike], keys: Iterable[PathLike], publishers: Iterable[Publisher]) -> list[str]:
    """Options that tell a scan what `require` was told. They are checked again there, for what policies are told."""
    options = [f"--bundle={os.fspath(bundle)}"] if bundle is not None else []
    options += [f"--key={os.fspath(key)}" for key in keys]
    for identity, issuer in map(_pair, publishers):
        options += [f"--identity={identity}", f"--issuer={issuer}"]
    return options


def _pair(publisher: Publisher) -> tuple[str, str]:
    """Identity and issuer, both needed: anybody gets a certificate for any identity from some issuer."""
    if isinstance(publisher, Mapping):
        if set(publisher) == {"identity", "issuer"}:
            return publisher["identity"], publisher["issuer"]
    elif not isinstance(publisher, str) and len(publisher) == 2:
        return publisher[0], publisher[1]
    raise TypeError(
        f"{publisher!r}: a publisher is {{'identity': …, 'issuer': …}}, "
        "such as {'identity': 'ml@example.org', 'issuer': 'https://accounts.google.com'}"
    )


def require(
    source: Source, *, sigstore: bool, bundle: Optional[PathLike], keys: Iterable[PathLike], publishers: Iterable[Publisher]
) -> Provenance:
    """Raise UnverifiedModelError unless the open file is signed, and by one of those named if anybody is.

    `sigstore` asks for a signature that Sigstore vouches for. With nobody named, any such signature will do.
    """
    keys, publishers = list(keys), list(publishers)
    found = verify(source, bundle, keys, publishers)
    good = found.verified if keys or publishers else found.valid
    if not good or (sigstore and found.method != "sigstore"):
        why = found.message or found.code
        if good:
            why = f"it is signed with a {found.method}, and not through Sigstore"
        raise UnverifiedModelError(f"{source.name}: {why} [{found.code}]" + (f"\n  {found.hint}" if found.hint else ""))
    return found


class ProvenanceVerifier:
    """Verifies that one identity signed a model through Sigstore. Both issuer and subject are needed to verify.

    Nothing is looked up: `rekor_url` only says in which transparency log of the trusted root the signature must stand.
    """

    def __init__(
        self, *, rekor_url: Optional[str] = None, expected_issuer: Optional[str] = None, expected_subject: Optional[str] = None
    ) -> None:
        """Keep what is expected of a signature."""
        if not expected_issuer or not expected_subject:
            raise ValueError("expected_issuer and expected_subject are needed: a signature by anybody says nothing")
        self.rekor_url = rekor_url
        self.publisher = {"identity": expected_subject, "issuer": expected_issuer}

    def verify(self, *, artifact_path: FileLike, bundle_path: Optional[PathLike] = None) -> Provenance:
        """Return what is known of the signature: look at `.verified`. Raises only if a file can't be read."""
        with opened(artifact_path) as source:
            found = verify(source, bundle_path, publishers=[self.publisher])
        if found.verified and self.rekor_url and (found.log or "").rstrip("/") != self.rekor_url.rstrip("/"):
            message = f"it stands in the log {found.log}, not in {self.rekor_url}"
            return Provenance(**{**vars(found), "verified": False, "code": "unknown-log", "message": message})
        return found
