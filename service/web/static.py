"""The files of `static/` over HTTP."""

from aiohttp import web

from service import assets, keys


class File(web.Response):
    """An answer that pages load and no browser shows by itself: the headers that tell how to are not sent with it."""


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
