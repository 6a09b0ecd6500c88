"""How long a provider may take, in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderTimings:
    """Limits on one call. Silence is counted in events: keep-alive comments do not help.

    `first_event_s` runs from sending the request; `after_finish_s` is the wait for
    usage once the answer is whole; `whole_answer_s` is for answers without streaming;
    `retry_waits_s` bounds the waits between the tries of one call, together.
    """

    connect_s: float = 10.0
    first_event_s: float = 30.0
    between_events_s: float = 30.0
    after_finish_s: float = 5.0
    whole_answer_s: float = 300.0
    total_s: float = 900.0
    list_models_s: float = 5.0
    check_key_s: float = 8.0
    transcribe_s: float = 120.0
    retry_waits_s: float = 30.0
