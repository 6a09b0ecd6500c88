"""`companion keyring`: print a key, show what is under which, seal everything anew."""

from __future__ import annotations

import asyncio
import re
import sys

from companion.db.keyring import KeyRing
from companion.db.rotation import key_usage, rotate
from companion.shell.progress import Progress
from companion.shell.sentences import Exit
from companion.shell.starting import loaded_settings
from companion.storage import key_ring, ring_file


def new() -> str:
    """Return a fresh entry whose id follows the ids of the ring there is, if there is one."""
    settings = loaded_settings(quiet=True)
    file = ring_file(settings)
    has_ring = settings.keyring is not None or (file is not None and file.exists())
    taken = key_ring(settings).ids if has_ring else ()
    numbers = [int(found[1]) for one in taken if (found := re.fullmatch(r"k(\d+)", one))]
    return KeyRing.new_entry(f"k{max(numbers, default=0) + 1}")


def usage() -> str:
    """Return a line per key: its id, the rows under it, and what it does."""
    settings = loaded_settings(quiet=True)
    ring = key_ring(settings)
    rows = asyncio.run(key_usage(settings.store_url))
    ids = [*ring.ids, *sorted(set(rows) - set(ring.ids))]
    return "\n".join(f"{one:<16} {rows.get(one, 0):>8} rows  {_duty(one, ring)}" for one in ids)


def rotate_all() -> tuple[str, Exit]:
    """Seal everything under the first key; return the outcome in words and as an exit code."""
    settings = loaded_settings(quiet=True)
    ring = key_ring(settings)
    with Progress(f"Sealing under {ring.primary}", "rows", sys.stderr) as bar:
        report = asyncio.run(rotate(settings.store_url, ring, bar.show))
    words = f"{report.resealed} rows sealed anew under {ring.primary}"
    if report.unreadable:
        return f"{words}; {report.unreadable} open under no key of this ring.", Exit.FAILED
    if report.remaining:
        return f"{words}; {report.remaining} are left: run it again.", Exit.FAILED
    return f"{words}. Older keys may be dropped from the ring.", Exit.OK


def _duty(key_id: str, ring: KeyRing) -> str:
    if key_id not in ring.ids:
        return "MISSING from the ring: these rows do not open"
    return "encrypts" if key_id == ring.primary else "decrypts"
