"""aiohttp: handlers of a request, by decorator, by class or added by hand."""

import os

from aiohttp import ClientSession, web

routes = web.RouteTableDef()


@routes.get("/{name}")
async def by_route(request):
    os.system(request.match_info["name"])  # bad: command
    data = await request.post()
    os.system(data["command"])  # bad: command
    raise web.HTTPFound(request.query["next"])  # bad: redirect


async def by_hand(request: web.Request):
    async with ClientSession() as session:
        async with session.get(request.query["url"]) as answer:  # bad: ssrf
            return web.json_response(await answer.json())


class Home(web.View):
    async def get(self):
        os.system(self.request.query["command"])  # bad: command
        return web.Response(text="ok")


app = web.Application()
app.router.add_get("/", by_hand)
