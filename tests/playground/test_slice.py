import discord

from companion.playground.local_discord import LocalDiscord
from tests.support.discord_app import logged_in, new_bot


async def test_slash_command_defers_and_answers():
    bot = new_bot()

    @bot.slash_command(description="Say it again")
    async def echo(ctx: discord.ApplicationContext, text: str) -> None:
        await ctx.defer()
        await ctx.interaction.edit_original_response(content=f"you said {text}")

    async with LocalDiscord.start() as local, logged_in(bot, local):
        await local.wait_for_commands(["echo"])
        interaction = await local.invoke("Ada", "general", "echo", {"text": "hi"})
        await interaction.acknowledged()
        assert interaction.original is not None
        await interaction.answered()
        assert [m.content for m in local.messages("general")] == ["you said hi"]
