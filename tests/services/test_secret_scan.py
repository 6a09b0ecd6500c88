from __future__ import annotations

import pytest

from companion.domain.errors import SecretInPrompt
from companion.services.secret_scan import check

TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("my key sk-proj-" + "d" * 48, "API key"),
        ("sk-abcdefghijklmnopqrstuvwxyz012345", "API key"),
        ("OPENAI_API_KEY=sk-None-Ab3_Cd4-Ef5_Gh6-Ij7", "API key"),
        (f"log in with {TOKEN} please", "Discord bot token"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0", "private key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE", "private key"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEpAIBAAKCAQEA",
            "private key",
        ),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQdGBGQhYmFzZTY0dGV4dA", "private key"),
    ],
)
def test_a_credential_is_noticed_and_not_repeated(text: str, kind: str) -> None:
    with pytest.raises(SecretInPrompt) as refused:
        check(text)
    assert refused.value.kind == kind
    assert text[-20:] not in repr(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "What does a key that starts with sk- look like?",
        "Why does OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxx fail?",
        "sk-learn-is-a-library-for-machine-learning",
        "desk-0123456789012345678901234567890",
        "What follows -----BEGIN PRIVATE KEY----- in a file?",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A",
        "1.2.3 and www.example.org/MTk4NjIy.html",
    ],
)
def test_talking_about_credentials_is_fine(text: str) -> None:
    check(text)
