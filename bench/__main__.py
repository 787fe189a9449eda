"""`make bench`: measures this machine and prints Markdown; `docs/benchmarks.md` keeps a run."""

import argparse
from collections.abc import Callable, Iterable, Iterator

from bench import hierarchy_bench, hierarchy_growth, messaging_bench, platform_bench
from bench.machine import facts
from bench.report import Figure, table


def _imports() -> Iterator[Figure]:
    yield from platform_bench.import_figures("embedded")
    if platform_bench.has_jdk():
        yield from platform_bench.import_figures("neo4j")


def _hierarchy() -> Iterator[Figure]:
    if platform_bench.has_jdk():
        yield from hierarchy_bench.figures()


SECTIONS: dict[str, Callable[[], Iterable[Figure]]] = {
    "ready": platform_bench.ready_figures,
    "import": _imports,
    "hierarchy": _hierarchy,
    "growth": hierarchy_growth.figures,
    "dispatch": messaging_bench.figures,
}


def main() -> None:
    """Prints the machine's facts and the table of each chosen section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(SECTIONS)}; all when none")
    chosen = parser.parse_args().sections or list(SECTIONS)
    print(facts())
    for name in chosen:
        print(f"\n## {name}\n")
        for line in table(SECTIONS[name]()):
            print(line, flush=True)


if __name__ == "__main__":
    main()
