"""Stand-ins for our ports: working code without a database, a network or a clock of its own."""

from tests.fakes.clock import FakeClock
from tests.fakes.files import FakeFileReader, FakeSpeech
from tests.fakes.limiter import FakeLimiter
from tests.fakes.provider import FakeCatalogue, FakePrices, FakeProvider, Step, usage
from tests.fakes.relay import FakeRelay
from tests.fakes.store import FakeFingerprints, FakeStore

__all__ = [
    "FakeCatalogue",
    "FakeClock",
    "FakeFileReader",
    "FakeFingerprints",
    "FakeLimiter",
    "FakePrices",
    "FakeProvider",
    "FakeRelay",
    "FakeSpeech",
    "FakeStore",
    "Step",
    "usage",
]
