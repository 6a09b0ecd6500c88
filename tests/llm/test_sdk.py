"""The SDK's types: loaded when they are asked for, and the same as without us."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from companion.llm.sdk import LazyTypes


def test_types_that_nobody_uses_are_not_loaded() -> None:
    loaded = _run(
        """
        import sys
        import companion.bootstrap
        print(*[name for name in sys.modules if name.startswith("openai.types.")])
        """
    ).split()

    assert "openai.types.shared.chat_model" in loaded
    assert not [name for name in loaded if name.startswith("openai.types.realtime")]
    assert len(loaded) < 100


def test_each_name_leads_to_what_it_leads_to_without_us() -> None:
    names = """
        import pkgutil, sys
        import openai.types
        for each in pkgutil.walk_packages(openai.types.__path__, "openai.types."):
            __import__(each.name)
        types = [sys.modules[n] for n in sorted(sys.modules) if n.startswith("openai.types")]
        for package in [each for each in types if hasattr(each, "__path__")]:
            for line in open(package.__file__).read().splitlines():
                if " as " in line:
                    name = line.rpartition(" as ")[2].strip(" ,)")
                    value = getattr(package, name)
                    print(package.__name__, name, getattr(value, "__module__", None))
        """
    ours, plain = _run("import companion.llm.sdk\n" + dedent(names)), _run(names)

    assert len(plain.splitlines()) > 500
    assert ours == plain


def test_an_unknown_name_is_said_to_be_missing() -> None:
    said = _run(
        """
        import companion.llm.sdk
        try:
            from openai.types.chat import Nonsense
        except ImportError as error:
            print(error)
        """
    )

    assert "Nonsense" in said


def test_a_package_that_does_more_is_loaded_as_usual(tmp_path: Path) -> None:
    package = tmp_path / "types"
    package.mkdir()
    (package / "__init__.py").write_text("from .batch import Batch as Batch\n")
    finder = LazyTypes()

    assert finder.find_spec("openai.types", [str(tmp_path)]) is not None
    (package / "__init__.py").write_text("from .batch import Batch as Batch\nBatch.rebuild()\n")
    assert finder.find_spec("openai.types", [str(tmp_path)]) is None


def _run(code: str) -> str:
    command = [sys.executable, "-c", dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
