"""Files of a folder, served as they are.

It decides which file a path means, and that it lies inside the folder: after resolving `..`, and after following
links unless links may lead out. It decides whether the client has the file already (304). How a file is sent is
the file response's affair.
"""

import errno
import importlib.util
import os
import re
import stat
from collections.abc import Sequence
from email.utils import parsedate
from typing import Any, ClassVar, Final

import anyio.to_thread

from playground.asgi import Receive, Scope, Send
from playground.errors import UsageError

from ._utils import get_route_path
from .datastructures import URL, Headers
from .exceptions import HTTPException
from .responses import FileResponse, RedirectResponse, Response
from .websockets import WebSocketClose

__all__ = ["NotModifiedResponse", "StaticFiles"]

PathLike = str | os.PathLike[str]
Package = str | tuple[str, str]

_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')


class NotModifiedResponse(Response):
    """The client has it already: 304, with the headers that RFC 9110 (15.4.5) asks for."""

    NOT_MODIFIED_HEADERS: ClassVar[tuple[str, ...]] = (
        "cache-control",
        "content-location",
        "date",
        "etag",
        "expires",
        "vary",
    )

    def __init__(self, headers: Headers) -> None:
        kept = {name: value for name, value in headers.items() if name in self.NOT_MODIFIED_HEADERS}
        super().__init__(status_code=304, headers=kept)


class StaticFiles:
    """An app that serves the files of a folder.

    Args:
        directory: the folder.
        packages: Python packages, whose folder `statics` is served too; or pairs of a package and a folder in it.
        html: serve `index.html` for a folder, and `404.html` for what is missing.
        check_dir: refuse a folder that does not exist at once; else with the first request.
        follow_symlink: whether links may lead out of the folder.

    Raises:
        RuntimeError: the folder does not exist.
        UsageError: a package, or the folder in it, does not exist.
    """

    def __init__(
        self,
        *,
        directory: PathLike | None = None,
        packages: list[Package] | None = None,
        html: bool = False,
        check_dir: bool = True,
        follow_symlink: bool = False,
    ) -> None:
        self.directory = directory
        self.packages = packages
        self.all_directories = self.get_directories(directory, packages)
        self.html = html
        self.config_checked = False
        self.follow_symlink = follow_symlink
        if check_dir and directory is not None and not os.path.isdir(directory):
            raise RuntimeError(f"Directory '{directory}' does not exist")

    def get_directories(
        self, directory: PathLike | None = None, packages: list[Package] | None = None
    ) -> list[PathLike]:
        """The folders in which files are looked for, in this order."""
        directories: list[PathLike] = [] if directory is None else [directory]
        for package in packages or []:
            name, folder = (package, "statics") if isinstance(package, str) else package
            directories.append(_folder_in_package(name, folder))
        return directories

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        if not self.config_checked:
            await self.check_config()
            self.config_checked = True
        response = await self.get_response(self.get_path(scope), scope)
        await response(scope, receive, send)

    def get_path(self, scope: Scope) -> str:
        """The path of the file, below the folder, in the form of the operating system."""
        return os.path.normpath(os.path.join(*get_route_path(scope).split("/")))

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The response for a path.

        Raises:
            HTTPException: 405, 404, or 401 if the file may not be looked at.
        """
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(status_code=405, headers={"Allow": "GET, HEAD"})
        full_path, found = await self._look_up(path)
        if found is not None and stat.S_ISREG(found.st_mode):
            return self.file_response(full_path, found, scope)
        if self.html:
            return await self._html_response(path, found, scope)
        raise HTTPException(status_code=404)

    async def _html_response(self, path: str, found: os.stat_result | None, scope: Scope) -> Response:
        if found is not None and stat.S_ISDIR(found.st_mode):
            full_path, index = await self._look_up(os.path.join(path, "index.html"))
            if index is not None and stat.S_ISREG(index.st_mode):
                if not scope["path"].endswith("/"):
                    # Else the links in the page would be taken from the folder above.
                    url = URL(scope=scope)
                    return RedirectResponse(url.replace(path=url.path + "/"))
                return self.file_response(full_path, index, scope)
        full_path, page = await self._look_up("404.html")
        if page is not None and stat.S_ISREG(page.st_mode):
            return FileResponse(full_path, stat_result=page, status_code=404)
        raise HTTPException(status_code=404)

    async def _look_up(self, path: str) -> tuple[str, os.stat_result | None]:
        try:
            return await anyio.to_thread.run_sync(self.lookup_path, path)
        except PermissionError:
            raise HTTPException(status_code=401) from None
        except OSError as error:
            if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
                raise HTTPException(status_code=404) from None
            raise
        except ValueError:  # a zero byte
            raise HTTPException(status_code=404) from None

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """The file that a path means, and what is known of it; `"", None` if there is none in the folders."""
        if os.path.isabs(path) or path.startswith("\\"):
            return "", None
        resolve = os.path.abspath if self.follow_symlink else os.path.realpath
        for directory in self.all_directories:
            root = resolve(directory)
            full_path = resolve(os.path.join(directory, path))
            if full_path == root or full_path.startswith(os.path.join(root, "")):
                try:
                    return full_path, os.stat(full_path)
                except (FileNotFoundError, NotADirectoryError):
                    continue
        return "", None

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The response for a file: the file, or word that the client has it."""
        response = FileResponse(full_path, status_code=status_code, stat_result=stat_result)
        if self.is_not_modified(response.headers, Headers.over(list(scope["headers"]))):
            return NotModifiedResponse(response.headers)
        return response

    async def check_config(self) -> None:
        """Look once whether the folder is one.

        Raises:
            RuntimeError: it does not exist, or is no folder.
        """
        if self.directory is None:
            return
        try:
            found = await anyio.to_thread.run_sync(os.stat, self.directory)
        except FileNotFoundError:
            raise RuntimeError(f"StaticFiles directory '{self.directory}' does not exist.") from None
        if not stat.S_ISDIR(found.st_mode):
            raise RuntimeError(f"StaticFiles path '{self.directory}' is not a directory.")

    def is_not_modified(self, response_headers: Headers, request_headers: Headers) -> bool:
        """Whether the client has this version already (RFC 9110, 13.1.2 and 13.1.3)."""
        tags = request_headers.get("if-none-match")
        if tags is not None:
            own = _TAG.findall(response_headers.get("etag", ""))
            return tags.strip() == "*" or any(tag in own for tag in _TAG.findall(tags))
        since = _moment(request_headers.get("if-modified-since"))
        modified = _moment(response_headers.get("last-modified"))
        return since is not None and modified is not None and since >= modified


def _folder_in_package(package: str, folder: str) -> str:
    spec = importlib.util.find_spec(package)
    origins: Sequence[str] = ()
    if spec is not None:
        origins = list(spec.submodule_search_locations or ())
        if not origins and spec.origin is not None:
            origins = [os.path.dirname(spec.origin)]
    if not origins:
        raise UsageError(f"Package {package!r} could not be found.")
    for origin in origins:
        path = os.path.normpath(os.path.join(origin, folder))
        if os.path.isdir(path):
            return path
    raise UsageError(f"Directory {folder!r} in package {package!r} could not be found.")


def _moment(date: str | None) -> tuple[Any, ...] | None:
    """A date of HTTP, to the second; `None` if it is none."""
    parsed = parsedate(date) if date else None
    return None if parsed is None else parsed[:6]
