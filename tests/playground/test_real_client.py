# py-cord's own types are half unknown:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""The local Discord as py-cord sees it: what our app relies on, over real sockets."""

import asyncio
import io
from collections.abc import Callable
from typing import Any

import discord
import pytest

from companion.playground.local_discord import LocalDiscord
from companion.playground.state import Upload
from companion.playground.vocabulary import Intent
from tests.support.discord_app import logged_in, new_bot
from tests.support.discord_openapi import assert_requests_follow_discord

Reply = Callable[[Any], Any]


class TextModal(discord.ui.DesignerModal):
    """A modal of the newer form."""

    def __init__(self) -> None:
        field = discord.ui.InputText(custom_id="api_key")
        super().__init__(discord.ui.Label("Key", field), title="Key", custom_id="key")

    async def callback(self, interaction: discord.Interaction) -> None:
        [label] = self.children
        assert isinstance(label, discord.ui.Label)
        item = label.item
        assert isinstance(item, discord.ui.InputText)
        await interaction.response.send_message(f"got {item.value}", ephemeral=True)


class StopView(discord.ui.View):
    """A view with one button."""

    @discord.ui.button(label="Stop", custom_id="stop")
    async def stop_it(self, _: discord.ui.Button[Any], interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(content="stopped", view=None)


async def suggest(ctx: discord.AutocompleteContext) -> list[str]:
    return [f"{ctx.value}-{n}" for n in range(3)]


def app_with_everything() -> discord.AutoShardedBot:
    """A bot that uses what the app will use."""
    bot = new_bot()

    async def echo(
        ctx: discord.ApplicationContext,
        text: discord.Option(str, "What to say", max_length=6000),  # type: ignore[valid-type]
        model: discord.Option(str, "Model", autocomplete=suggest, default=""),  # type: ignore[valid-type]
        attachment: discord.Option(discord.Attachment, "File", required=False),  # type: ignore[valid-type]
    ) -> None:
        await ctx.defer()
        read: bytes = b"" if attachment is None else await attachment.read()
        said = f"{text}{model}{read.decode()}"
        await ctx.interaction.edit_original_response(content=said, view=StopView())

    async def modal(ctx: discord.ApplicationContext) -> None:
        await ctx.send_modal(TextModal())

    async def tour(ctx: discord.ApplicationContext) -> None:
        await ctx.defer(ephemeral=True)
        await ctx.followup.send("first")
        more: Any = await ctx.followup.send("more", file=discord.File(io.BytesIO(b"x"), "x.txt"))
        await more.edit(content="more!")
        channel: Any = ctx.channel
        author: Any = ctx.author
        sent = await channel.send("plain", nonce="n1", enforce_nonce=True)
        thread = await sent.create_thread(name="talk")
        await thread.send("inside", allowed_mentions=discord.AllowedMentions.none())
        await thread.edit(archived=True)
        await sent.add_reaction("👍")
        await (await author.create_dm()).send("psst")
        await ctx.interaction.edit_original_response(content="tour done")

    for callback in (echo, modal, tour):
        bot.slash_command(name=callback.__name__, description="A test")(callback)
    return bot


async def test_command_defers_and_edits_its_answer():
    async with LocalDiscord.start() as local, logged_in(app_with_everything(), local):
        await local.wait_for_commands(["echo"])
        file = Upload(filename="a.txt", content=b" and a file")
        interaction = await local.invoke(
            "Ada", "general", "echo", {"text": "hi"}, attachments=[file]
        )
        await interaction.acknowledged()
        await interaction.answered()
        assert [m.content for m in local.messages("general")] == ["hi and a file"]
        assert_requests_follow_discord(local.requests)


async def test_commands_work_in_direct_messages_and_by_user_install():
    async with LocalDiscord.start() as local, logged_in(app_with_everything(), local):
        await local.wait_for_commands(["echo"])
        group = local.world.add_group_dm("Ada", "Grace")
        elsewhere = local.world.add_guild(
            "Elsewhere", owner="Grace", members=("Ada",), with_app=False
        )
        [partial] = local.world.channels_of(elsewhere, threads=False)
        places = ((local.world.dm("Ada"), "guild"), (group, "user"), (partial, "user"))
        for where, install in places:
            done = await local.invoke("Ada", where, "echo", {"text": "hi"}, install=install)
            await done.answered()
            assert done.text == "hi"


async def test_suggestions_come_from_the_app():
    async with LocalDiscord.start() as local, logged_in(app_with_everything(), local):
        await local.wait_for_commands(["echo"])
        found = await local.autocomplete("Ada", "general", "echo", {"model": "gp"}, "model")
        assert [choice["value"] for choice in found] == ["gp-0", "gp-1", "gp-2"]


async def test_button_and_modal_reach_the_app():
    async with LocalDiscord.start() as local, logged_in(app_with_everything(), local):
        await local.wait_for_commands(["modal"])
        answer = await local.invoke("Ada", "general", "echo", {"text": "hi"})
        await answer.answered()
        assert answer.original is not None
        click = await local.click("Ada", answer.original, "Stop")
        await click.acknowledged()
        assert answer.original.content == "stopped"

        opened = await local.invoke("Ada", "general", "modal")
        await opened.answered()
        sent = await local.submit_modal(opened, {"api_key": "sk-123"})
        await sent.answered()
        assert sent.text == "got sk-123"
        assert sent.ephemeral
        assert_requests_follow_discord(local.requests)


async def test_everything_the_client_sends_is_in_discords_description():
    async with LocalDiscord.start() as local, logged_in(app_with_everything(), local):
        await local.wait_for_commands(["tour"])
        tour = await local.invoke("Ada", "general", "tour")
        await tour.until(lambda seen: "tour done" in seen.text)
        assert [m.content for m in tour.messages] == ["tour done", "more!"]
        assert {r.status for r in local.requests} <= {200, 201, 204}
        assert_requests_follow_discord(local.requests)


async def test_wrong_token_is_a_login_failure(monkeypatch: pytest.MonkeyPatch):
    async with LocalDiscord.start() as local:
        local.application.token = "other"
        monkeypatch.setattr(discord.http.Route, "API_BASE_URL", f"{local.api_url}/v10")
        bot = new_bot()
        with pytest.raises(discord.LoginFailure):
            await bot.start("wrong")
        await bot.close()


async def test_missing_privilege_stops_the_client():
    intents = discord.Intents.default() | discord.Intents(message_content=True)
    async with LocalDiscord.start() as local:
        local.application.privileged = Intent(0)
        with pytest.raises(discord.PrivilegedIntentsRequired):
            async with logged_in(new_bot(intents=intents), local):
                pass


@pytest.mark.parametrize("how", ["drop", "code", "op7", "op9"])
async def test_client_resumes_and_misses_nothing(how: str):
    bot = new_bot()
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def on_message(message: discord.Message) -> None:
        heard.put_nowait(message.content)

    bot.add_listener(on_message)
    async with LocalDiscord.start() as local, logged_in(bot, local):
        dm = local.world.dm("Ada")
        resumed = asyncio.create_task(bot.wait_for("resumed", timeout=5))
        await asyncio.sleep(0)
        match how:
            case "drop":
                local.faults.drop_gateway()
            case "code":
                local.faults.drop_gateway(4000)
            case "op7":
                local.faults.ask_reconnect()
            case _:
                local.faults.invalidate_session(resumable=True)
        await local.say("Ada", dm, "missed?")
        await resumed
        await local.say("Ada", dm, "after")
        async with asyncio.timeout(3):
            assert [await heard.get(), await heard.get()] == ["missed?", "after"]
        assert (local.gateway.identifies, local.gateway.resumes) == (1, 1)


async def test_lost_session_is_identified_anew():
    bot = new_bot()
    async with LocalDiscord.start() as local, logged_in(bot, local):
        again = asyncio.create_task(bot.wait_for("shard_connect", timeout=5))
        await asyncio.sleep(0)
        local.faults.invalidate_session(resumable=False)
        await again
        assert local.gateway.identifies == 2


async def test_zombie_connection_is_noticed_and_resumed():
    bot = new_bot()
    async with LocalDiscord.start() as local:
        local.gateway.heartbeat_interval_ms = 100
        bot._connection.heartbeat_timeout = 0.3  # pyright: ignore[reportPrivateUsage]
        async with logged_in(bot, local):
            resumed = asyncio.create_task(bot.wait_for("resumed", timeout=5))
            await asyncio.sleep(0)
            local.faults.zombie()
            await resumed


async def test_shards_connect_and_get_their_own_events():
    bot = new_bot(shard_count=2)
    async with LocalDiscord.start() as local, logged_in(bot, local):
        assert sorted(bot.shards) == [0, 1]
        assert local.gateway.identifies == 2
        [guild] = bot.guilds
        assert guild.shard_id == (guild.id >> 22) % 2
