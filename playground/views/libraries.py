"""Libraries that wait without giving way, and what to await instead: for a line that was seen to call one.

A recording tells which package the loop's thread was in below the user's line; that comes from the files of the code
that ran, not from names in the source. Here stand only packages of which every call that waits holds its thread; one
that has both kinds of calls (httpx, redis, pymongo, psycopg, SQLAlchemy) cannot be told by its name.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from playground.trace import Block, Trace

__all__ = ["INSTEAD", "library_of"]

# Each with what its own documentation, or that of the library of the same kind that awaits, calls the way to await it.
INSTEAD: Final = {
    "requests": "httpx.AsyncClient",
    "urllib": "httpx.AsyncClient",
    "urllib3": "httpx.AsyncClient",
    "http": "httpx.AsyncClient",
    "xmlrpc": "httpx.AsyncClient",
    "sqlite3": "aiosqlite",
    "psycopg2": "psycopg.AsyncConnection",
    "pymysql": "aiomysql",
    "boto3": "aioboto3",
    "botocore": "aioboto3",
    "smtplib": "aiosmtplib",
    "imaplib": "aioimaplib",
    "ftplib": "aioftp",
    "paramiko": "asyncssh",
    "subprocess": "asyncio.create_subprocess_exec(...)",
}


def library_of(trace: Trace, blocks: Sequence[Block]) -> str:
    """The synchronous library that the line of these steps was seen to call, in half of the looks or more; or empty."""
    line = blocks[0].site
    if line is None:
        return ""
    seen: Counter[str] = Counter()
    for block in blocks:
        for sample in trace._samples_of.get(block.step, ()):
            if sample.site is not None and (sample.site.file, sample.site.line) == (line.file, line.line):
                seen[sample.library] += 1
    name, times = seen.most_common(1)[0] if seen else ("", 0)
    return name if name in INSTEAD and 2 * times >= seen.total() else ""
