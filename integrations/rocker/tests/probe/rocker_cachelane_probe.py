"""A rocker extension for the tests: files as snippets."""

from pathlib import Path

from rocker.extensions import RockerExtension


class Snippet(RockerExtension):
    """Puts the text of files into the Dockerfile, each as a snippet."""

    @staticmethod
    def get_name():
        return "snippet"

    @staticmethod
    def register_arguments(parser, defaults=None):  # noqa: ARG004
        parser.add_argument("--snippet", metavar="FILE", action="append", help="Files for the Dockerfile")

    def get_snippet(self, cliargs):
        return "\n".join(Path(file).read_text(encoding="utf-8") for file in cliargs["snippet"])
