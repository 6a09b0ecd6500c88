"""Companion: the OpenAI API in Discord, with everyone's own key."""
