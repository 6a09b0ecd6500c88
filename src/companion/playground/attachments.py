"""Files of messages, and their addresses on this server."""

from __future__ import annotations

import hashlib
import mimetypes
from urllib.parse import quote

from aiohttp import web

from companion.playground.calls import UploadedFile
from companion.playground.message_drafts import Draft
from companion.playground.state import Attachment, Message, Upload
from companion.playground.wire import JsonObject, as_int
from companion.playground.world import World

_GENERIC = "application/octet-stream"


class AttachmentStore:
    """Keeps files in memory and serves them where Discord's CDN would."""

    def __init__(self, world: World) -> None:
        self._world = world

    def of_draft(self, message: Message, draft: Draft) -> list[Attachment]:
        """Return a message's files under a draft: those kept, then those uploaded."""
        described = {as_int(one.get("id")): one for one in draft.kept_attachments or ()}
        kept = message.attachments
        if draft.kept_attachments is not None:
            kept = [one for one in kept if one.id in described]
        added = [self._store(file, described.get(file.index, {})) for file in draft.files]
        return [*kept, *added]

    def _store(self, file: UploadedFile, described: JsonObject) -> Attachment:
        name = str(described.get("filename") or file.filename)
        given = file.content_type if file.content_type != _GENERIC else None
        return self.add(
            Upload(filename=name, content=file.content, content_type=given or _guess(name)),
            description=described.get("description"),
        )

    def add(
        self, upload: Upload, *, description: str | None = None, ephemeral: bool = False
    ) -> Attachment:
        """Keep a file and give it an address."""
        new_id = self._world.ids.next()
        kind = "ephemeral-attachments" if ephemeral else "attachments"
        seal = hashlib.sha256(str(new_id).encode()).hexdigest()
        path = f"/{kind}/{new_id}/{quote(upload.filename)}"
        attachment = Attachment(
            id=new_id,
            filename=upload.filename,
            content=upload.content,
            content_type=upload.content_type,
            url=f"{self._world.origin}{path}?ex={seal[:8]}&is={seal[8:16]}&hm={seal}",
            description=description,
            ephemeral=ephemeral,
        )
        self._world.attachments[new_id] = attachment
        return attachment

    async def handle(self, request: web.Request) -> web.Response:
        """Serve a file; its address must be whole, as Discord's signed ones."""
        attachment = self._world.attachments.get(as_int(request.match_info["id"]) or 0)
        if attachment is None:
            return web.Response(status=404, text="This content is no longer available.")
        if str(request.rel_url).partition("?")[2] != attachment.url.partition("?")[2]:
            return web.Response(status=404, text="This content is no longer available.")
        kind = attachment.content_type or _GENERIC
        return web.Response(body=attachment.content, headers={"Content-Type": kind})


def _guess(filename: str) -> str | None:
    return mimetypes.guess_type(filename)[0]
