"""rockerc hands what stands in its file to rocker's command line."""

import shlex

from rockerc.cli_args import parse_cli_extensions_and_image
from rockerc.rockerc import collect_arguments, deduplicate_extensions, yaml_dict_to_args
from test_extension import arguments

from rocker_cachelane.extension import CacheId


def lane_of(config, tmp_path, no_lane):
    no_lane.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "rockerc.yaml").write_text(config)
    words = shlex.split(yaml_dict_to_args(collect_arguments(str(tmp_path))))
    assert words[-2:] == ["--", "ubuntu:noble"]
    return CacheId().get_build_args(arguments(*words)).get("CACHE_ID")


def test_a_lane_in_the_file(tmp_path, no_lane):
    assert lane_of("image: ubuntu:noble\ncache-id: py310\n", tmp_path, no_lane) == "py310"


def test_a_version_has_to_be_quoted(tmp_path, no_lane):
    assert lane_of('image: ubuntu:noble\ncache-id: "3.10"\n', tmp_path, no_lane) == "3.10"
    assert lane_of("image: ubuntu:noble\ncache-id: 3.10\n", tmp_path, no_lane) == "3.1"


def test_its_command_line_takes_the_lane_in_one_word(no_lane):
    """What docs/rocker.md says: of two words, rockerc takes the second for the image."""
    extensions, image, _ = parse_cli_extensions_and_image(["--cache-id=py310", "ubuntu:noble"])
    assert (extensions, image) == (["cache-id=py310"], "ubuntu:noble")
    words = yaml_dict_to_args({"args": deduplicate_extensions(extensions), "image": image})
    assert CacheId().get_build_args(arguments(*shlex.split(words))) == {"CACHE_ID": "py310"}
    _, image, _ = parse_cli_extensions_and_image(["--cache-id", "py310", "ubuntu:noble"])
    assert image == "py310"
    assert no_lane
