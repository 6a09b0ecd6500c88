"""A small app with one of everything that the page has to show."""

# pyright: reportUnknownMemberType=false
# py-cord's decorators and constructors are only partly typed

from __future__ import annotations

import asyncio
import base64
import io

import discord

from tests.support.discord_app import new_bot

LONG_PYTHON = """\
### Palindromes

A word is a **palindrome** when it reads the *same* both ways:

```python
def is_palindrome(word: str) -> bool:
    # ignore case and spaces
    letters = [c for c in word.lower() if c.isalnum()]
    return letters == letters[::-1]
```

1. Take the letters
2. Turn them round
   - `reversed` works as well
3. Compare

> Never odd or even.

-# sample · 83 tokens · 0.4 s"""
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
MODELS = ("gpt-6-sol", "gpt-6-luna", "gpt-6.1-terra", "gpt-image-2.6")


class Gates:
    """Lets a test hold the app at a point and let it go on."""

    def __init__(self) -> None:
        self._open: dict[str, asyncio.Event] = {}

    def _event(self, name: str) -> asyncio.Event:
        return self._open.setdefault(name, asyncio.Event())

    async def wait(self, name: str) -> None:
        await self._event(name).wait()

    def open(self, name: str) -> None:
        self._event(name).set()

    def shut(self) -> None:
        self._open.clear()


class KeyForm(discord.ui.Modal):
    """The legacy form: rows of text inputs."""

    def __init__(self) -> None:
        super().__init__(
            discord.ui.InputText(
                label="API key", custom_id="api_key", placeholder="sk-…", min_length=4
            ),
            discord.ui.InputText(
                label="Why",
                custom_id="why",
                style=discord.InputTextStyle.long,
                required=False,
                max_length=200,
            ),
            title="Your OpenAI key",
            custom_id="key_form",
        )

    async def callback(self, interaction: discord.Interaction) -> None:
        key, why = (child.value or "" for child in self.children)
        if key == "slow":
            return
        await interaction.response.send_message(
            f"Saved a key ending in `{key[-4:]}` because *{why or 'no reason'}*.", ephemeral=True
        )


class PersonaForm(discord.ui.DesignerModal):
    """The newer form: text, labels, a select."""

    def __init__(self) -> None:
        self.voice = discord.ui.StringSelect(
            custom_id="voice",
            placeholder="Pick a voice",
            options=[
                discord.SelectOption(label="Calm", value="calm", description="Few words"),
                discord.SelectOption(label="Lively", value="lively"),
            ],
        )
        self.length = discord.ui.RadioGroup(
            custom_id="length",
            options=[
                discord.RadioGroupOption(label="Short", value="short"),
                discord.RadioGroupOption(label="Long", value="long", default=True),
            ],
        )
        self.name = discord.ui.TextInput(custom_id="name", max_length=20)
        super().__init__(
            discord.ui.TextDisplay("How should the app **sound**?"),
            discord.ui.Label("Name", self.name, description="What to call it"),
            discord.ui.Label("Voice", self.voice),
            discord.ui.Label("Length", self.length),
            title="Persona",
            custom_id="persona_form",
        )

    async def callback(self, interaction: discord.Interaction) -> None:
        voice = ", ".join(self.voice.values or ())
        await interaction.response.send_message(
            f"{self.name.value} sounds {voice}, {self.length.value}."
        )


class Panel(discord.ui.View):
    """Buttons of all kinds and a select."""

    def __init__(self, gates: Gates) -> None:
        super().__init__(timeout=None)
        self._gates = gates

    @discord.ui.button(label="Count", style=discord.ButtonStyle.primary, custom_id="count")
    async def count(
        self, button: discord.ui.Button[Panel], interaction: discord.Interaction
    ) -> None:
        await self._gates.wait("count")
        await interaction.response.edit_message(content="Counted: 1")

    @discord.ui.button(label="Silent", style=discord.ButtonStyle.secondary, custom_id="silent")
    async def silent(
        self, button: discord.ui.Button[Panel], interaction: discord.Interaction
    ) -> None:
        """Never answer."""

    @discord.ui.button(label="Remove", style=discord.ButtonStyle.danger, custom_id="remove")
    async def remove(
        self, button: discord.ui.Button[Panel], interaction: discord.Interaction
    ) -> None:
        await interaction.response.edit_message(content="Removed.", view=None)

    @discord.ui.button(label="Off", disabled=True, custom_id="off")
    async def off(self, button: discord.ui.Button[Panel], interaction: discord.Interaction) -> None:
        """Cannot be clicked."""

    @discord.ui.select(  # pyright: ignore[reportArgumentType]
        placeholder="Pick a colour",
        custom_id="colour",
        options=[
            discord.SelectOption(label="Red", value="red", description="Like a rose"),
            discord.SelectOption(label="Blue", value="blue"),
        ],
    )
    async def colour(
        self, select: discord.ui.Select[Panel], interaction: discord.Interaction
    ) -> None:
        await interaction.response.send_message(
            f"{', '.join(map(str, select.values or ()))} it is.", ephemeral=True
        )


class Rooms(discord.ui.DesignerView):
    """Channels to choose from: text channels only, several at once."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        self.rooms = discord.ui.ChannelSelect(
            custom_id="rooms",
            placeholder="Pick channels",
            channel_types=[discord.ChannelType.text],
            max_values=3,
        )
        self.rooms.callback = self.chosen
        row: discord.ui.ActionRow[Rooms] = discord.ui.ActionRow(self.rooms)
        self.add_item(row)

    async def chosen(self, interaction: discord.Interaction) -> None:
        names = ", ".join(str(room) for room in self.rooms.values or ())
        await interaction.response.send_message(f"Chosen: {names}")


def page_bot(gates: Gates) -> discord.AutoShardedBot:
    """Return the app, not logged in."""
    bot = new_bot()
    _add_answers(bot, gates)
    _add_forms_and_parts(bot, gates)
    return bot


def _add_answers(bot: discord.AutoShardedBot, gates: Gates) -> None:
    async def models(ctx: discord.AutocompleteContext) -> list[discord.OptionChoice]:
        typed = str(ctx.value or "").lower()
        return [discord.OptionChoice(f"{m} (chat)", m) for m in MODELS if typed in m]

    @bot.slash_command(description="Ask the model something")
    @discord.option("prompt", str, description="What to ask", max_length=6000)
    @discord.option("model", str, description="Which model", required=False, autocomplete=models)
    @discord.option(
        "temperature", float, description="How free", required=False, min_value=0, max_value=2
    )
    @discord.option("max_tokens", int, description="How long", required=False, min_value=1)
    @discord.option("attachment", discord.Attachment, description="A file", required=False)
    @discord.option("private", bool, description="Only I see it", required=False)
    async def ask(  # noqa: PLR0917 - options come by position
        ctx: discord.ApplicationContext,
        prompt: str,
        model: str | None,
        temperature: float | None,
        max_tokens: int | None,
        attachment: discord.Attachment | None,
        private: bool | None,
    ) -> None:
        await ctx.defer(ephemeral=bool(private))
        file = f", file {attachment.filename} ({attachment.size} bytes)" if attachment else ""
        settings = f"{model}, {temperature}, {max_tokens}{file}"
        await ctx.interaction.edit_original_response(content=f"You asked: {prompt}\n-# {settings}")

    @bot.slash_command(description="Stream an answer, piece by piece")
    async def stream(ctx: discord.ApplicationContext) -> None:
        await ctx.defer()
        await gates.wait("first")
        half = len(LONG_PYTHON) // 2
        await ctx.interaction.edit_original_response(content=LONG_PYTHON[:half])
        await gates.wait("rest")
        await ctx.interaction.edit_original_response(content=LONG_PYTHON, view=Panel(gates))

    @bot.slash_command(description="Never answer")
    async def silence(ctx: discord.ApplicationContext) -> None:
        """Let the three seconds pass."""

    @bot.slash_command(description="Say exactly this")
    async def say(ctx: discord.ApplicationContext, text: str) -> None:
        await ctx.respond(text)

    @bot.listen()
    async def on_message(message: discord.Message) -> None:
        if bot.user in message.mentions:
            await message.reply(f"Hello {message.author.mention}, you said something to me.")


def _add_forms_and_parts(bot: discord.AutoShardedBot, gates: Gates) -> None:
    @bot.slash_command(description="Bring your own key")
    async def setkey(ctx: discord.ApplicationContext) -> None:
        await ctx.send_modal(KeyForm())

    @bot.slash_command(description="Choose how the app sounds")
    async def persona(ctx: discord.ApplicationContext) -> None:
        await ctx.send_modal(PersonaForm())

    @bot.slash_command(description="Buttons and a select")
    async def panel(ctx: discord.ApplicationContext) -> None:
        await ctx.respond("A panel", view=Panel(gates))

    @bot.slash_command(description="Channels to choose from")
    async def rooms(ctx: discord.ApplicationContext) -> None:
        await ctx.respond("Which?", view=Rooms())

    @bot.slash_command(description="A secret, only for you")
    async def whisper(ctx: discord.ApplicationContext) -> None:
        await ctx.respond("Only you can read this.", ephemeral=True)

    @bot.slash_command(description="An embed and files")
    @discord.option("size", str, description="How large", choices=["small", "large"])
    async def show(ctx: discord.ApplicationContext, size: str) -> None:
        embed = discord.Embed(
            title="Usage", description=f"A **{size}** embed", colour=discord.Colour.teal()
        )
        embed.add_field(name="Tokens", value="1,204")
        embed.add_field(name="Cost", value="$0.0021")
        files = [
            discord.File(io.BytesIO(PIXEL), "dot.png"),
            discord.File(io.BytesIO(b"line\n" * 12), "notes.txt"),
            discord.File(io.BytesIO(bytes(range(256))), "data.bin"),
        ]
        await ctx.respond(embed=embed, files=files)

    @bot.message_command(name="Count words")
    async def count_words(ctx: discord.ApplicationContext, message: discord.Message) -> None:
        await ctx.respond(f"{len(message.content.split())} words")
