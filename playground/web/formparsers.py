"""Forms, read from a body as it arrives.

It decides what becomes of the parts (texts are kept, files are written to temporary ones) and enforces the
limits while it reads, so that memory is bounded by them and not by the body. Multipart bodies are taken
apart by python-multipart; urlencoded ones here, for they only need to be split.
"""

import warnings
from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from enum import Enum, EnumMeta
from tempfile import SpooledTemporaryFile
from typing import Any, ClassVar, Final

import anyio

from ._headers import Headers, RawHeaders
from ._multidict import decode_form
from ._multipart import library, names, text_codec
from ._upload import FormData, UploadFile
from .exceptions import StarletteDeprecationWarning

__all__ = ["FormMessage", "FormParser", "MultiPartException", "MultiPartParser"]

_INVALID: Final = "Invalid multipart data."
_CALLBACKS: Final = (
    *("on_part_begin", "on_part_data", "on_part_end", "on_headers_finished", "on_end"),
    *("on_header_field", "on_header_value", "on_header_end"),
)


class MultiPartException(Exception):
    """A form is malformed or exceeds a limit; the message is fit to be sent to the client."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class _DeprecatedEnum(EnumMeta):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        message = f"`{cls.__name__}` is deprecated and will be removed: nothing uses it."
        warnings.warn(message, StarletteDeprecationWarning, stacklevel=2)
        return super().__call__(*args, **kwargs)


class FormMessage(Enum, metaclass=_DeprecatedEnum):
    """Deprecated, as in Starlette: nothing uses it."""

    FIELD_START = 1
    FIELD_NAME = 2
    FIELD_DATA = 3
    FIELD_END = 4
    END = 5


class FormParser:
    """Reads an urlencoded form.

    Args:
        headers: those of the request.
        stream: the body, in pieces.
        max_fields: how many fields are taken.
        max_part_size: how long a field may be, its name and its value together, in bytes.
    """

    def __init__(
        self,
        headers: Headers,
        stream: AsyncIterable[bytes],
        *,
        max_fields: float = 1000,
        max_part_size: int = 1024 * 1024,
    ) -> None:
        self.headers = headers
        self.stream = stream
        self.max_fields = max_fields
        self.max_part_size = max_part_size
        self.items: list[tuple[str, str | UploadFile]] = []
        self._current_fields = 0
        self._field_value = bytearray()  # what has come so far of a field that is not complete

    async def parse(self) -> FormData:
        """Read the form.

        Raises:
            MultiPartException: it exceeds a limit.
        """
        async for chunk in self.stream:
            self._take(chunk)
        self._end_field()
        return FormData(self.items)

    def _take(self, chunk: bytes) -> None:
        start = 0
        while (end := chunk.find(b"&", start)) >= 0:
            if self._field_value:
                self._add(chunk[start:end])
                self._end_field()
            elif end > start:
                self._begin(end - start)
                self._keep(*chunk[start:end].partition(b"=")[::2])
            start = end + 1
        if start < len(chunk):
            if not self._field_value:
                self._begin(0)
            self._add(chunk[start:])

    def _begin(self, length: int) -> None:
        self._current_fields += 1
        if self._current_fields > self.max_fields:
            raise MultiPartException(f"Too many fields. Maximum number of fields is {self.max_fields}.")
        if length > self.max_part_size + 1:
            raise self._too_long()

    def _add(self, data: bytes) -> None:
        # The equals sign does not count, and is there only once.
        if len(self._field_value) + len(data) > self.max_part_size + 1:
            raise self._too_long()
        self._field_value += data

    def _end_field(self) -> None:
        field = self._field_value
        if field:
            place = field.find(b"=")
            name = field[:place] if place >= 0 else field[:]
            del field[: len(name) + 1]  # which does not move what is left
            self._keep(name, field)
            field.clear()

    def _keep(self, name: bytes | bytearray, value: bytes | bytearray) -> None:
        if len(name) + len(value) > self.max_part_size:
            raise self._too_long()
        self.items.append((decode_form(name.decode("latin-1")), decode_form(value.decode("latin-1"))))

    def _too_long(self) -> MultiPartException:
        return MultiPartException(f"Field exceeded maximum size of {self.max_part_size // 1024}KB.")


@dataclass(slots=True)
class _Part:
    """A part of a multipart form, as far as it has come."""

    headers: RawHeaders = field(default_factory=list)
    disposition: bytes = b""
    name: str = ""
    data: bytearray = field(default_factory=bytearray)
    file: UploadFile | None = None


class MultiPartParser:
    """Reads a multipart form (RFC 7578).

    Args:
        headers: those of the request; the content type holds the boundary.
        stream: the body, in pieces.
        max_files, max_fields: how many of each are taken.
        max_part_size: how long a field may be, in bytes; files are not limited by it.

    Attributes:
        spool_max_size: a file longer than this, in bytes, is on disk and not in memory.
    """

    spool_max_size: ClassVar[int] = 1024 * 1024
    max_part_size: int = 1024 * 1024

    def __init__(
        self,
        headers: Headers,
        stream: AsyncIterable[bytes],
        *,
        max_files: float = 1000,
        max_fields: float = 1000,
        max_part_size: int = 1024 * 1024,
    ) -> None:
        self.headers = headers
        self.stream = stream
        self.max_files = max_files
        self.max_fields = max_fields
        self.max_part_size = max_part_size
        self.items: list[tuple[str, str | UploadFile]] = []
        self._current_files = 0
        self._current_fields = 0
        self._part = _Part()
        self._header_name = b""
        self._header_value = b""
        self._is_complete = False
        self._charset = "utf-8"
        self._to_write: list[tuple[UploadFile, bytes]] = []
        self._files: list[SpooledTemporaryFile[bytes]] = []

    async def parse(self) -> FormData:
        """Read the form; the files are at their beginning then.

        Raises:
            MultiPartException: it is malformed, incomplete, or exceeds a limit. No file is left open.
        """
        multipart = library()
        _, params = multipart.multipart.parse_options_header(self.headers.get("Content-Type", ""))
        boundary = params.get(b"boundary")
        if boundary is None:
            raise MultiPartException("Missing boundary in multipart.")
        self._charset = text_codec(params.get(b"charset", b"utf-8").decode("latin-1"))
        try:
            await self._read(multipart.multipart.MultipartParser(boundary, self._callbacks()))
        except multipart.exceptions.FormParserError as error:
            await self._close_files()
            raise MultiPartException(_INVALID) from error
        except BaseException:
            await self._close_files()
            raise
        return FormData(self.items)

    async def _read(self, parser: Any) -> None:
        length = 0
        async for chunk in self.stream:
            length += len(chunk)
            parser.write(chunk)
            for upload, data in self._to_write:
                await upload.write(data)
            self._to_write.clear()
        parser.finalize()
        if length and not self._is_complete:
            raise MultiPartException(_INVALID)
        for _, value in self.items:
            if isinstance(value, UploadFile):
                await value.seek(0)

    def _callbacks(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _CALLBACKS}

    def on_part_begin(self) -> None:
        self._part = _Part()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def on_header_end(self) -> None:
        name = self._header_name.lower()
        if name == b"content-disposition":
            self._part.disposition = self._header_value
        self._part.headers.append((name, self._header_value))
        self._header_name = self._header_value = b""

    def on_headers_finished(self) -> None:
        part = self._part
        name, filename = names(part.disposition)
        if name is None:
            raise MultiPartException('The Content-Disposition header field "name" must be provided.')
        part.name = self._decode(name)
        if filename is not None:
            self._begin_file(part, self._decode(filename))
        else:
            self._current_fields += 1
            if self._current_fields > self.max_fields:
                raise MultiPartException(f"Too many fields. Maximum number of fields is {self.max_fields}.")

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part.file is not None:
            self._to_write.append((part.file, data[start:end]))
        elif len(part.data) + end - start > self.max_part_size:
            raise MultiPartException(f"Part exceeded maximum size of {self.max_part_size // 1024}KB.")
        else:
            part.data += data[start:end]

    def on_part_end(self) -> None:
        part = self._part
        self.items.append((part.name, self._decode(part.data) if part.file is None else part.file))

    def on_end(self) -> None:
        self._is_complete = True

    def _begin_file(self, part: _Part, filename: str) -> None:
        self._current_files += 1
        if self._current_files > self.max_files:
            raise MultiPartException(f"Too many files. Maximum number of files is {self.max_files}.")
        file: SpooledTemporaryFile[bytes] = SpooledTemporaryFile(  # noqa: SIM115  the form closes it
            max_size=self.spool_max_size
        )
        self._files.append(file)
        headers = Headers(raw=part.headers)
        part.file = UploadFile(file=file, size=0, filename=filename, headers=headers)  # type: ignore[arg-type]

    def _decode(self, data: bytes | bytearray) -> str:
        try:
            return data.decode(self._charset)
        except UnicodeError:  # as in Starlette: every byte is a character in latin-1
            return data.decode("latin-1")

    async def _close_files(self) -> None:
        # Also if the task is being cancelled: what was opened here, nobody else closes.
        with anyio.CancelScope(shield=True):
            for file in self._files:
                await UploadFile(file).close()  # type: ignore[arg-type]
