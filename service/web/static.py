"""The files of `static/` over HTTP, and one that is nowhere else."""

from aiohttp import web

from service import assets, keys

# Below an article stands what its script asks for; and each comment has links to forms: to quote it, and to report it.
ROBOTS = """\
User-agent: *
Disallow: /articles/*/
Disallow: /articles/*?quote=
Disallow: /comments/*/
Disallow: /desk
"""


class File(web.Response):
    """An answer that is no page: the headers that tell a browser how to show one are not sent with it."""


async def static(request: web.Request) -> File:
    """GET /static/{digest}/{name}"""
    asset, immutable = request.app[keys.ASSETS].find(request.match_info["digest"], request.match_info["name"])
    encoding = assets.preferred(request.headers.get("Accept-Encoding", ""), asset)
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if immutable else "no-cache",
        "Vary": "Accept-Encoding",
        "ETag": f'"{asset.etag}-{encoding}"',
    }
    if any(f'"{tag.value}"' == headers["ETag"] for tag in request.if_none_match or ()):
        return File(status=304, headers=headers)
    if encoding != "identity":
        headers["Content-Encoding"] = encoding
    return File(body=asset.encodings[encoding], headers=headers | {"Content-Type": asset.content_type})


async def robots(_request: web.Request) -> File:
    """GET /robots.txt: what search engines need not read (RFC 9309)."""
    return File(text=ROBOTS, headers={"Cache-Control": "public, max-age=86400"})
