"""Reads Dockerfiles with BuildKit's own parser, by way of the package `dockerfile`.

Each line of standard input is one file, its bytes in hexadecimal, or several with commas between them. The answer to
each file is one line of JSON on standard output: `{"commands": [...]}`, or `{"error": "..."}` where the parser refuses
the file. The commands' text is in hexadecimal too, byte for byte, whatever its encoding.
"""

import codecs
import json
import sys
import tempfile
from pathlib import Path

import dockerfile


def hexadecimal(text: str | None) -> str:
    return (text or "").encode("utf-8", "surrogateescape").hex()


def command(found: dockerfile.Command) -> dict[str, object]:
    return {
        "name": hexadecimal(found.cmd),
        "inner": None if found.sub_cmd is None else hexadecimal(found.sub_cmd),
        "json": found.json,
        "original": hexadecimal(found.original),
        "lines": [found.start_line, found.end_line],
        "flags": [hexadecimal(flag) for flag in found.flags],
        "value": [hexadecimal(value) for value in found.value],
        "heredocs": [
            {"name": hexadecimal(doc.name), "content": hexadecimal(doc.content)}
            for doc in found.heredocs
        ],
    }


def answer(path: Path) -> dict[str, object]:
    try:
        return {"commands": [command(found) for found in dockerfile.parse_file(str(path))]}
    except dockerfile.GoParseError as error:
        return {"error": str(error)}


def main() -> None:
    # The package decodes Go's strings with the handler `strict` and lets nobody choose another one. This keeps the
    # bytes that are not UTF-8, as lone surrogates.
    codecs.register_error("strict", codecs.lookup_error("surrogateescape"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "Dockerfile"
        for line in sys.stdin:
            answers = []
            for file in line.rstrip("\n").split(","):
                path.write_bytes(bytes.fromhex(file))
                answers.append(json.dumps(answer(path)) + "\n")
            # At once: what comes in pieces is read in pieces, now more of them and now fewer.
            sys.stdout.buffer.write("".join(answers).encode())
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
