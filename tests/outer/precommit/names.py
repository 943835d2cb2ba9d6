"""Says which of the paths on standard input, parted by NUL, pre-commit would pass to each hook of the given files.

For each hook a line: its id, and `1` or `0` for each path.
"""

import sys

from pre_commit.commands.run import filter_by_include_exclude
from pre_commit.yaml import yaml_load

paths = sys.stdin.buffer.read().decode().split("\0")
for name in sys.argv[1:]:
    with open(name, encoding="UTF-8") as file:
        content = yaml_load(file)
    hooks = content if isinstance(content, list) else [hook for repo in content["repos"] for hook in repo["hooks"]]
    for hook in hooks:
        passed = set(filter_by_include_exclude(paths, hook["files"], hook.get("exclude", "^$")))
        print(hook["id"], "".join("1" if path in passed else "0" for path in paths))
