"""The sample model's texts."""

from __future__ import annotations

from typing import Final

LABEL: Final = "Built-in sample model: canned text for trying things out, not an AI."

GREETING: Final = """\
Hello! 👋 I only know a few texts by heart, but they show what an answer looks like. Try:

- **write code in Python** (or JavaScript, Rust, Go, SQL, Bash)
- **compare two things in a table**
- **a list of ideas**
- **a long answer**, to see it split into several messages
- **what did I ask before?**, to see that the conversation is remembered
"""

SEEN: Final = """\
I was given {count} along with your words. I cannot look at it, but everything is in place: \
a model that sees would describe it here.
"""

SUMMARY: Final = """\
**In short**

- Somebody asked, and somebody answered.
- One thing was decided: to *try it out* first.
- Still open: everything that a canned summary cannot know.
"""

LIST: Final = """\
Here are five ideas for a quiet afternoon:

1. **Bake bread.** Four ingredients, most of the work is waiting.
2. **Write a letter** on paper:
   - to someone you have not seen for a year
   - or to yourself, to open next spring
3. **Learn three constellations.** *Cassiopeia* is the easy one.
4. **Mend something** that has been waiting in a drawer.
5. **Walk a street** you have never walked, ~~without~~ with a map.
"""

TABLE: Final = """\
A short comparison:

| | Bicycle | Tram | On foot |
|---|---|---|---|
| Speed | 15 km/h | 18 km/h | 5 km/h |
| Cost a month | 10 | 49 | 0 |
| In the rain | wet | dry | wet |
| **Fun** | high | medium | high |

In short: take the *bicycle* when the sun shines, and the *tram* when it does not.
"""

ANYTHING: Final = """\
That was {words}. I cannot think about them, but a real model would answer here with \
**bold** points, *emphasis*, `inline code` and links such as <https://example.com>.

> A canned answer is like a painted door: nice to look at, and it leads nowhere.

To talk to a real one, leave an API key with `/setkey`, or start with `--model local`.
"""

_PYTHON = '''\
from collections import Counter


def most_common_words(text: str, count: int = 3) -> list[tuple[str, int]]:
    """Return the words that occur most often, most frequent first."""
    words = (word.strip(".,;:!?").lower() for word in text.split())
    return Counter(word for word in words if word).most_common(count)


print(most_common_words("the sea, the sea, and the sky"))
'''

_JAVASCRIPT = """\
const debounce = (wait, action) => {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...args), wait);
  };
};

addEventListener("resize", debounce(200, () => console.log(innerWidth)));
"""

_RUST = """\
fn is_prime(n: u64) -> bool {
    n > 1 && (2..).take_while(|d| d * d <= n).all(|d| n % d != 0)
}

fn main() {
    let primes: Vec<u64> = (1..50).filter(|&n| is_prime(n)).collect();
    println!("{primes:?}");
}
"""

_GO = """\
package main

import "fmt"

func main() {
	squares := make(chan int)
	go func() {
		defer close(squares)
		for i := range 5 {
			squares <- i * i
		}
	}()
	for square := range squares {
		fmt.Println(square)
	}
}
"""

_SQL = """\
SELECT author, count(*) AS books, max(published) AS latest
FROM books
WHERE published >= DATE '2000-01-01'
GROUP BY author
HAVING count(*) > 1
ORDER BY books DESC, author;
"""

_BASH = """\
#!/usr/bin/env bash
set -euo pipefail

for file in *.log; do
  printf '%6d  %s\\n' "$(wc -l < "$file")" "$file"
done | sort -rn | head
"""

CODE: Final[dict[str, tuple[str, str]]] = {
    "Python": ("python", _PYTHON),
    "JavaScript": ("javascript", _JAVASCRIPT),
    "Rust": ("rust", _RUST),
    "Go": ("go", _GO),
    "SQL": ("sql", _SQL),
    "Bash": ("bash", _BASH),
}
"""By the language's name as people write it: the fence's tag, and the code."""

_LIGHTHOUSES: Final = (
    ("Bell Rock", "Scotland", 1810, 35),
    ("Cordouan", "France", 1611, 68),
    ("Cape Hatteras", "United States", 1870, 64),
    ("Roter Sand", "Germany", 1885, 52),
    ("Hook Head", "Ireland", 1240, 35),
    ("Lindesnes", "Norway", 1915, 16),
    ("Cape Byron", "Australia", 1901, 22),
    ("Green Point", "South Africa", 1824, 16),
    ("Les Éclaireurs", "Argentina", 1920, 11),
    ("Inubōsaki", "Japan", 1874, 31),
)


def code_answer(name: str, fence: str, code: str) -> str:
    """Return a short answer around one block of code."""
    return (
        f"Here is a small example in **{name}**:\n\n```{fence}\n{code}```\n\n"
        "Copy it, run it, change one thing, and run it again."
    )


def long_answer() -> str:
    """Return an answer of several messages' length, with a block longer than one message."""
    rows = "\n".join(f"| {n} | {c} | {y} | {h} m |" for n, c, y, h in _LIGHTHOUSES)
    return "\n\n".join(
        (
            "# Ten lighthouses, at length",
            "A lighthouse is the simplest of machines that talk: it says one thing, always the "
            "same, to everyone who can see it.",
            f"| Name | Country | Lit | Height |\n|---|---|--:|--:|\n{rows}",
            *(_chapter(*lighthouse) for lighthouse in _LIGHTHOUSES),
            f"## The same as a program\n\n```python\n{_lighthouse_program()}```",
            "And that is the end. If you can read this line, **nothing was lost** on the way.",
        )
    )


def _chapter(name: str, country: str, lit: int, height: int) -> str:
    return (
        f"## {name}\n\n{name} has stood in **{country}** since {lit}. From its gallery, {height} "
        "metres up, the horizon is "
        f"about {3.57 * height**0.5:.0f} kilometres away, and on a clear night its light carries "
        "further than that, because a ship's own mast adds to the sum.\n\n"
        "- The keeper wound the clockwork every few hours.\n"
        "- The lens floats on mercury or on rollers, so that one hand can turn tons of glass.\n"
        f"- *What a sailor wrote in the log:* “{name} in sight, all well.”"
    )


def _lighthouse_program() -> str:
    functions = "\n\n".join(
        f"def light_{number}(second: int) -> str:\n"
        f'    """{name}, {country}: lit in {lit}, {height} metres high."""\n'
        f"    period = {number + 3}\n"
        f'    return "flash" if second % period == 0 else "dark"\n'
        for number, (name, country, lit, height) in enumerate(_LIGHTHOUSES, 1)
    )
    calls = "\n".join(
        f'    print("{name}".ljust(16), *(light_{number}(s) for s in range(12)))'
        for number, (name, *_) in enumerate(_LIGHTHOUSES, 1)
    )
    return f'{functions}\n\nif __name__ == "__main__":\n{calls}\n'
