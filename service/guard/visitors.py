"""Where a request comes from: the address that limits and bans know a visitor by, in memory only."""

import ipaddress
import logging
from collections.abc import Sequence

from aiohttp import web

from service.settings import Network

WIDER = {4: 24, 6: 48}  # the prefix of the wider net, by version of IP

log = logging.getLogger(__name__)
_warned: set[str] = set()


def address(request: web.BaseRequest, proxies: Sequence[Network]) -> str:
    """The visitor's address: IPv4 whole, IPv6 as its /64, which one household or machine has to itself.

    X-Forwarded-For is walked from the right, past the proxies that are trusted; from anyone else it is ignored.
    """
    hop = _parse(request.remote or "")
    forwarded = [part.strip() for line in request.headers.getall("X-Forwarded-For", ()) for part in line.split(",")]
    if forwarded and not _trusted(hop, proxies):
        _warn()
        forwarded = []
    while forwarded and _trusted(hop, proxies):
        further = _parse(forwarded.pop())
        if further is None:
            break
        hop = further
    if hop is None:
        return "unknown"
    if isinstance(hop, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((hop, 64), strict=False))
    return str(hop)


def network(address: str) -> str:
    """The wider net around an address in its canonical form: the /24 of IPv4, the /48 of IPv6, which one site has."""
    try:
        inner = ipaddress.ip_network(address)
    except ValueError:
        return address
    return str(inner.supernet(new_prefix=WIDER[inner.version]))


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address, of a hop with or without a port; an IPv4 address mapped into IPv6 is that IPv4 address."""
    host = text.strip("[]") if text.endswith("]") else text
    if text.startswith("[") and "]:" in text:
        host = text[1 : text.index("]:")]
    elif text.count(":") == 1:
        host = text.split(":", maxsplit=1)[0]
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return None
    return (isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped) or parsed


def _trusted(hop: ipaddress.IPv4Address | ipaddress.IPv6Address | None, proxies: Sequence[Network]) -> bool:
    return hop is not None and any(hop in network for network in proxies)


def _warn() -> None:
    """Say once that a proxy stands in front which was not named: all its visitors share one limit until it is."""
    if not _warned:
        _warned.add("forwarded")
        log.warning("X-Forwarded-For from an untrusted peer is ignored; see AFTERWORD_TRUSTED_PROXIES")
