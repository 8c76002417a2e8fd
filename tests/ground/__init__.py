"""What a site stands on: the event loop of its workers, and whether its lines have TLS."""

import os
import ssl
from pathlib import Path
from typing import NamedTuple

import trustme

GROUNDS = ("uvloop", "asyncio", "uvloop with TLS", "asyncio with TLS")


class Ground(NamedTuple):
    """A kind of ground. A proxy ends TLS in production: here it shows that seats rely on no kind of transport."""

    loop: str = "uvloop"
    trust: ssl.SSLContext | None = None
    certificate: Path | None = None

    @classmethod
    def of(cls, name: str, folder: Path) -> "Ground":
        """One of the `GROUNDS`; a certificate, where it needs one, lies in the folder."""
        loop, *tls = name.split(" with ")
        if not tls:
            return cls(loop)
        authority, trust, certificate = trustme.CA(), ssl.create_default_context(), folder / "certificate.pem"
        authority.configure_trust(trust)
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
        return cls(loop, trust, certificate)

    @property
    def environ(self) -> dict[str, str]:
        """What a site is started with: Python reads `sitecustomize` here before anything else."""
        if self == USUAL:
            return {}
        paths = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        secure = {"GROUND_CERTIFICATE": str(self.certificate)} if self.certificate else {}
        return {"PYTHONPATH": os.pathsep.join(paths), "GROUND_LOOP": self.loop, **secure}


USUAL = Ground()
