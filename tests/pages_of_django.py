"""Django's pages, each handing something to a thread or back, with its layers and its own database."""

# mypy: disable-error-code="import-untyped, untyped-decorator, no-untyped-call, misc"
# Django has no types of its own, nor has asgiref's adapter.

import asyncio
import functools
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.db import models
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test.utils import override_settings
from django.urls import path
from django.utils.decorators import async_only_middleware, sync_only_middleware


async def async_view(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0)
    return HttpResponse("x")


def sync_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("x")


def lookup() -> str:
    return "found"


def free() -> str:
    return "free"


async def helped(request: HttpRequest) -> HttpResponse:
    return HttpResponse(await sync_to_async(lookup)() + await sync_to_async(free, thread_sensitive=False)())


def to_the_loop(request: HttpRequest) -> HttpResponse:
    async def inside() -> str:
        await asyncio.sleep(0)
        return "x"

    return HttpResponse(async_to_sync(inside)())


def there_and_back(request: HttpRequest) -> HttpResponse:
    async def inside() -> str:
        return await sync_to_async(lookup)()

    return HttpResponse(async_to_sync(inside)())


def nap() -> str:
    time.sleep(3)
    return "rested"


def there_and_back_for_long(request: HttpRequest) -> HttpResponse:
    async def inside() -> str:
        return await sync_to_async(nap)()

    return HttpResponse(async_to_sync(inside)())


async def streamed(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter([b"a", b"b"]))


@functools.cache
def book() -> Any:
    """A model with a table of its own: it can be made only once Django is set up."""

    class Book(models.Model):
        title = models.CharField(max_length=20)

        class Meta:
            app_label = "hand_offs"

    return Book


def orm(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(book().objects.count()))


async def orm_wrapped(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(await sync_to_async(book().objects.count)()))


async def orm_asked(request: HttpRequest) -> HttpResponse:
    return HttpResponse((await book().objects.aget(title="Emma")).title)


async def orm_listed(request: HttpRequest) -> HttpResponse:
    return HttpResponse(",".join([each.title async for each in book().objects.all()]))


async def orm_written(request: HttpRequest) -> HttpResponse:
    mine = book()(title="Persuasion")
    await mine.asave()
    await mine.adelete()
    return HttpResponse("x")


views = (
    *(async_view, sync_view, helped, to_the_loop, there_and_back, there_and_back_for_long, streamed),
    *(orm, orm_wrapped, orm_asked, orm_listed, orm_written),
)
urlpatterns = [path(view.__name__, view) for view in views]


@async_only_middleware
def async_layer(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    async def layer(request: HttpRequest) -> Any:
        return await get_response(request)

    return layer


@sync_only_middleware
def sync_layer(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    def layer(request: HttpRequest) -> Any:
        return get_response(request)

    return layer


def on_django_by(make: Callable[[], Any], *layers: str) -> Callable[[], Any]:
    """What makes the handler: Django folds its middleware into it as it is made."""

    def made() -> Any:
        with override_settings(MIDDLEWARE=[f"{__name__}.{layer}" for layer in layers]):
            return make()

    made.__name__ = " ".join((make.__name__, *layers))
    return made


@contextmanager
def our_pages() -> Iterator[None]:
    with override_settings(ROOT_URLCONF=__name__), warnings.catch_warnings():
        # `streamed` does on purpose what Django warns of
        warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators", Warning)
        yield
