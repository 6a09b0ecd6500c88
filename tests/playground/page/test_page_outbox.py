"""What a slow page gets."""

from companion.playground.web_outbox import MOST_WAITING, Outbox


async def test_newest_state_of_a_message_is_sent_once_and_last():
    outbox = Outbox()
    outbox.event("message", "draft", key="message 1")
    outbox.answer(3, "history with the draft")
    outbox.event("message", "final", key="message 1")
    assert await outbox.next() == {"re": 3, "data": "history with the draft", "error": None}
    assert await outbox.next() == {"seq": 1, "type": "message", "data": "final"}


async def test_numbers_have_no_gaps_when_events_are_taken_back():
    outbox = Outbox()
    outbox.event("message", "a", key="a")
    outbox.event("message", "b", key="b")
    outbox.forget("a")
    outbox.event("message", "c", key="c")
    sent = [await outbox.next(), await outbox.next()]
    assert [(one["seq"], one["data"]) for one in sent] == [(1, "b"), (2, "c")]


async def test_full_outbox_starts_over_but_keeps_answers():
    outbox = Outbox()
    outbox.answer(1, "kept")
    for number in range(MOST_WAITING):
        outbox.event("typing", number)
    assert outbox.is_full
    outbox.start_over()
    outbox.event("ready", {})
    assert (await outbox.next())["data"] == "kept"
    assert (await outbox.next())["type"] == "ready"
