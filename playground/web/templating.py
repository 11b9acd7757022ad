"""Templates of Jinja, rendered for a request.

It decides what a template is given (the request, `url_for`, what the context processors add, what the handler
adds) and that HTML is escaped. How templates are written and found is Jinja's affair; without it installed,
this module can be imported, and says what to install when it is needed.
"""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, overload

from playground.asgi import Receive, Scope, Send
from playground.errors import UsageError

from .background import BackgroundTask
from .datastructures import URL
from .requests import Request
from .responses import HTMLResponse

if TYPE_CHECKING:
    import jinja2

__all__ = ["Jinja2Templates"]

StrPath = str | PathLike[str]
ContextProcessor = Callable[[Request[Any]], dict[str, Any]]


class Jinja2Templates:
    """Makes responses of templates.

    Args:
        directory: where the templates are, one place or several; or
        context_processors: functions of the request, whose dictionaries are added to every context.
        env: an environment of Jinja's that is set up already, in place of a directory.

    Raises:
        UsageError: Jinja is not installed; or not exactly one of a directory and an environment is given.
    """

    @overload
    def __init__(
        self,
        directory: StrPath | Sequence[StrPath],
        *,
        context_processors: list[ContextProcessor] | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        *,
        env: "jinja2.Environment",
        context_processors: list[ContextProcessor] | None = None,
    ) -> None: ...
    def __init__(
        self,
        directory: StrPath | Sequence[StrPath] | None = None,
        *,
        context_processors: list[ContextProcessor] | None = None,
        env: "jinja2.Environment | None" = None,
    ) -> None:
        if (directory is None) == (env is None):
            given = "neither" if env is None else "both"
            raise UsageError(f"either 'directory' or 'env' arguments must be passed, got {given}")
        self.context_processors = context_processors or []
        self.env = _environment(directory) if env is None else env
        self.env.globals.setdefault("url_for", _url_for())

    def get_template(self, name: str) -> "jinja2.Template":
        """The template with this name.

        Raises:
            jinja2.TemplateNotFound: there is none.
        """
        return self.env.get_template(name)

    def TemplateResponse(
        self,
        request: Request[Any],
        name: str,
        context: dict[str, Any] | None = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> "_TemplateResponse":
        """A response with a rendered template.

        Args:
            request: the request; the template has it as `request`.
            name: the template's name.
            context: what else the template has.
            status_code, headers, media_type, background: as of every response.
        """
        given: object = request
        if isinstance(given, str):
            raise UsageError(
                f"TemplateResponse expects the request first, then the template's name; got {given!r} first. "
                f"Write TemplateResponse(request, {given!r}, ...)."
            )
        whole = dict(context or {})
        whole.setdefault("request", request)
        for processor in self.context_processors:
            whole.update(processor(request))
        return _TemplateResponse(self.get_template(name), whole, status_code, headers, media_type, background)


class _TemplateResponse(HTMLResponse):
    """A rendered template, which tells tests what it was made of."""

    def __init__(
        self,
        template: Any,
        context: dict[str, Any],
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        self.template = template
        self.context = context
        super().__init__(template.render(context), status_code, headers, media_type, background)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "http.response.debug" in scope.get("extensions", {}):
            info = {"template": self.template, "context": self.context}
            await send({"type": "http.response.debug", "info": info})
        await super().__call__(scope, receive, send)


def _environment(directory: Any) -> "jinja2.Environment":
    jinja = _jinja()
    loader = jinja.FileSystemLoader(directory)
    environment: jinja2.Environment = jinja.Environment(loader=loader, autoescape=jinja.select_autoescape())
    return environment


def _url_for() -> Callable[..., URL]:
    def url_for(context: Mapping[str, Any], name: str, /, **path_params: Any) -> URL:
        """The URL of a route, for the request that the template is rendered for."""
        url: URL = context["request"].url_for(name, **path_params)
        return url

    made: Callable[..., URL] = _jinja().pass_context(url_for)
    return made


def _jinja() -> Any:
    try:
        import jinja2
    except ImportError:
        raise UsageError(
            "jinja2 must be installed to use Jinja2Templates. Run: pip install 'playground[web]'"
        ) from None
    return jinja2
