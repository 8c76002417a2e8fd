"""What is known about a comment, as a document for who has to judge it elsewhere: whole, and sealed by a hash."""

import hashlib

import msgspec

from service.store.reports import Evidence


def document(evidence: Evidence, site: str) -> bytes:
    """The evidence as JSON, with the comment's address on `site`, and a SHA-256 of the canonical form.

    That is the JSON of the field `evidence` in UTF-8 with its names in order, and no space outside of strings: so who
    has the file can reckon the hash again.
    """
    whole = msgspec.to_builtins(evidence) | {"permalink": f"{site}/comments/{evidence.no}"}
    canonical = msgspec.json.encode(whole, order="sorted")
    seal = hashlib.sha256(canonical).hexdigest()
    return msgspec.json.format(msgspec.json.encode({"evidence": msgspec.Raw(canonical), "sha256": seal}), indent=2)
