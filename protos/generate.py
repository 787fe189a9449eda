"""Generates the typed stubs beside the contracts, or checks that the committed ones are current.

The import root is `protos`, so that wire package, path and Python import are one name.
"""

import argparse
import filecmp
import sys
import tempfile
from importlib import resources
from pathlib import Path

from google.rpc import code_pb2
from grpc_tools import protoc

ROOT = Path(__file__).parent
GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")


def _includes() -> list[str]:
    bundled = resources.files("grpc_tools") / "_proto"
    common = Path(code_pb2.__file__).parents[2]  # googleapis-common-protos ships its .proto files
    return [f"-I{ROOT}", f"-I{bundled}", f"-I{common}"]


def _sources() -> list[str]:
    return sorted(str(path) for path in ROOT.glob("chaupal/**/*.proto"))


def _plugins() -> list[str]:
    """Where the plugins of this interpreter are, whether its folder is on the path or not."""
    programs = Path(sys.executable).parent
    names = ("protoc-gen-mypy", "protoc-gen-mypy_grpc")
    return [f"--plugin={name}={programs / name}" for name in names]


def _run(*arguments: str) -> None:
    if protoc.main(["protoc", *_includes(), *arguments, *_sources()]) != 0:
        sys.exit("protoc failed")


def generate(out: Path) -> None:
    """Writes stubs and their types under `out`, one file set for each contract."""
    _run(
        *_plugins(),
        f"--python_out={out}",
        f"--grpc_python_out={out}",
        f"--mypy_out=quiet:{out}",
        f"--mypy_grpc_out=quiet:{out}",
    )
    for stray in out.glob("chaupal/**/audience_pb2_grpc.py*"):
        stray.unlink()  # a contract without a service has nothing to serve


def describe(out: Path) -> None:
    """Writes one descriptor image of all contracts, which is what buf reads."""
    _run(f"--descriptor_set_out={out}", "--include_imports", "--include_source_info")


def drifted() -> list[str]:
    """Names the generated files that differ from what the contracts now give."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh)
        names = {
            path.relative_to(base)
            for base in (fresh, ROOT)
            for pattern in GENERATED
            for path in base.glob(f"chaupal/**/{pattern}")
        }
        return sorted(str(name) for name in names if not _same(fresh / name, ROOT / name))


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and filecmp.cmp(one, other, shallow=False)


def main() -> None:
    """Generates, checks, or writes the descriptor image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only name what drifted")
    parser.add_argument("--image", type=Path, help="only write a descriptor image here")
    arguments = parser.parse_args()
    if arguments.image:
        arguments.image.parent.mkdir(parents=True, exist_ok=True)
        describe(arguments.image)
    elif arguments.check:
        if stale := drifted():
            sys.exit("generated stubs are stale, run `make protos`: " + ", ".join(stale))
    else:
        generate(ROOT)


if __name__ == "__main__":
    main()
