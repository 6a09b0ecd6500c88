"""Which model answers: the one asked for, or the first default that this key has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from companion.domain.errors import ModelUnknown
from companion.domain.models import Catalogue, ModelId

SIMILAR: Final = 3
_LONGEST_ID: Final = 200


def asked_for(typed: str | None) -> str | None:
    """Return the model's id as typed, or `None` when nothing was."""
    return (typed or "").strip() or None


def known(catalogue: Catalogue, model: str) -> ModelId:
    """Return that model; raises `ModelUnknown` when the catalogue is sure there is none."""
    if found := catalogue.find(model):
        return found.id
    if catalogue.complete or not is_plausible(model):
        raise ModelUnknown(model=model[:_LONGEST_ID], similar=similar(catalogue, model))
    return ModelId(model)


def first_known(catalogue: Catalogue, defaults: Iterable[ModelId | None]) -> ModelId:
    """Return the first default that this key has, else the key's first model.

    Raises `ModelUnknown` when the key has no chat model at all.
    """
    wanted = [model for model in defaults if model]
    for model in wanted:
        if not catalogue.complete or catalogue.find(model):
            return model
    if not catalogue.models:
        raise ModelUnknown(model=wanted[-1] if wanted else "")
    return catalogue.models[0].id


def is_plausible(model: str) -> bool:
    """Say whether a model could be called that."""
    return 0 < len(model) <= _LONGEST_ID and model.isprintable() and " " not in model


def similar(catalogue: Catalogue, model: str) -> tuple[str, ...]:
    """Return the models whose names come closest."""
    names = [m.id for m in catalogue.models]
    return closest(model, names, limit=SIMILAR, at_least=60)


def closest(wanted: str, names: Sequence[str], *, limit: int, at_least: float) -> tuple[str, ...]:
    """Return the names that resemble `wanted` most, best first; `at_least` is of 100."""
    # loaded when first needed: an idle process spares its 2 MB
    from rapidfuzz import fuzz, process  # noqa: PLC0415

    found = process.extract(wanted, names, scorer=fuzz.WRatio, limit=limit, score_cutoff=at_least)
    return tuple(name for name, _, _ in found)
