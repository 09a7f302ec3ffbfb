"""Encryption of stored secrets: AES-256-GCM under a key that lies in a file, not in the database.

A copy of the database alone opens nothing. The id of the record is authenticated with its secret,
so that nobody who can write to the database can put one record's secret under another's name.
"""

import base64
import binascii
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compute_optimizer.errors import InvalidInput

KEY_BYTES = 32
"""AES-256."""

NONCE_BYTES = 12
"""The length that GCM is specified for (NIST SP 800-38D, 5.2.1.1); random for every secret."""


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals and opens secrets with the key of one file."""

    path: Path
    cipher: AESGCM

    def seal(self, secret: str, owner: str) -> bytes:
        """Return the secret encrypted and bound to the id of the record that owns it."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self.cipher.encrypt(nonce, secret.encode(), owner.encode())

    def unseal(self, sealed: bytes, owner: str) -> str:
        """Return the secret; raise InvalidInput when another key file sealed it."""
        nonce, encrypted = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self.cipher.decrypt(nonce, encrypted, owner.encode()).decode()
        except InvalidTag:
            raise InvalidInput(
                f"key file {self.path} does not open the secret of {owner}: it was sealed with "
                "another key file. Use that file again, or rotate the key."
            ) from None


def open_key_file(path: Path, data_dir: Path) -> Sealer:
    """Return the sealer of a key file, made (mode 0600) if absent and inside data_dir.

    Raises InvalidInput when the file is absent elsewhere, unreadable, or holds no key.
    """
    if not path.exists():
        if path.parent.resolve() != data_dir.resolve():
            raise InvalidInput(
                f"key file {path} does not exist. Mount it, or make one: "
                f"openssl rand -base64 {KEY_BYTES} > {path}"
            )
        _make_key_file(path)
    return Sealer(path, AESGCM(_read_key(path)))


def _read_key(path: Path) -> bytes:
    try:
        key = base64.b64decode(path.read_bytes().strip(), validate=True)
    except OSError as error:
        raise InvalidInput(f"key file {path} cannot be read: {error.strerror}") from error
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise InvalidInput(f"key file {path} must hold {KEY_BYTES} bytes in base64, on one line")
    return key


def _make_key_file(path: Path) -> None:
    """Write a new key so that of several processes exactly one makes it, and none reads half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass  # Another process was first; its key is the one.
    finally:
        Path(draft).unlink()
