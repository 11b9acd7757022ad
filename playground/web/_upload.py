"""Files that a client uploads, and the form that they come in.

An upload decides where its file is touched: on the loop while it is in memory, in a worker thread once it is on
disk, so that no disk holds up the loop. It refuses to know how it came.
"""

from collections.abc import Iterable, Mapping
from typing import BinaryIO

from ._headers import Headers
from ._multidict import ImmutableMultiDict
from .concurrency import run_in_threadpool

__all__ = ["FormData", "UploadFile"]


class UploadFile:
    """A file that was uploaded.

    Args:
        file: the file itself, open for reading and writing.
        size: its length in bytes, if it is known.
        filename: its name on the client, which is not to be trusted as a path.
        headers: those of its part of the form.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        size: int | None = None,
        filename: str | None = None,
        headers: Headers | None = None,
    ) -> None:
        self.filename = filename
        self.file = file
        self.size = size
        self.headers = headers or Headers()

    @property
    def content_type(self) -> str | None:
        """The file's type, as the client has it."""
        content_type: str | None = self.headers.get("content-type")
        return content_type

    async def write(self, data: bytes) -> None:
        """Write at the current place."""
        if self.size is not None:
            self.size += len(data)
        if self._stays_in_memory(len(data)):
            self.file.write(data)
        else:
            await run_in_threadpool(self.file.write, data)

    async def read(self, size: int = -1) -> bytes:
        """Read so many bytes from the current place; all, if the size is negative."""
        if self._stays_in_memory(0):
            return self.file.read(size)
        return await run_in_threadpool(self.file.read, size)

    async def seek(self, offset: int) -> None:
        """Go to a place, in bytes from the start."""
        if self._stays_in_memory(0):
            self.file.seek(offset)
        else:
            await run_in_threadpool(self.file.seek, offset)

    async def close(self) -> None:
        """Close the file, which deletes it if it is a temporary one."""
        if self._stays_in_memory(0):
            self.file.close()
        else:
            await run_in_threadpool(self.file.close)

    def _stays_in_memory(self, added: int) -> bool:
        """Whether the file is in memory, and still will be with so many bytes more.

        `SpooledTemporaryFile` tells neither in public, so it is asked for what it has told since Python 2.6;
        any other file may be on disk.
        """
        if getattr(self.file, "_rolled", True):
            return False
        most: int = getattr(self.file, "_max_size", 0)
        return most == 0 or not added or self.file.tell() + added <= most

    def __repr__(self) -> str:
        return f"{type(self).__name__}(filename={self.filename!r}, size={self.size!r}, headers={self.headers!r})"


class FormData(ImmutableMultiDict[str, UploadFile | str]):
    """What a form was filled with: texts, and files."""

    def __init__(
        self,
        *args: "FormData | Mapping[str, str | UploadFile] | Iterable[tuple[str, str | UploadFile]]",
        **kwargs: str | UploadFile,
    ) -> None:
        super().__init__(*args, **kwargs)

    async def close(self) -> None:
        """Close every file."""
        for _, value in self.multi_items():
            if isinstance(value, UploadFile):
                await value.close()
