"""Secrets for the other processes of a run, in a file that is worth nothing when the run is gone."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

_NONCE = 16


def new_key() -> bytes:
    """Make a key, which is kept in memory only."""
    return secrets.token_bytes(32)


def seal(path: Path, content: bytes, key: bytes) -> None:
    nonce = secrets.token_bytes(_NONCE)
    path.write_bytes(nonce + _mixed(content, key + nonce))


def unseal(path: Path, key: bytes) -> bytes:
    sealed = path.read_bytes()
    nonce, content = sealed[:_NONCE], sealed[_NONCE:]
    return _mixed(content, key + nonce)


def _mixed(content: bytes, key: bytes) -> bytes:
    """Add a key stream as long as the content: the same again gives it back."""
    stream = hashlib.shake_256(key).digest(len(content))
    return bytes(one ^ other for one, other in zip(content, stream, strict=True))
