"""The toolkit: an ASGI framework with Starlette's public names, modules and meanings.

This package decides how a web app is written: routes, requests, responses, middleware. It refuses to know who calls the
app (a server, the virtual transport) and whether anybody watches. Import from its modules, as in Starlette: `from
playground.web.routing import Route`. The module itself holds no names, so that importing one part never pays for
another.
"""
