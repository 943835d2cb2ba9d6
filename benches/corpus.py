#!/usr/bin/env python3
"""Makes a tree of Dockerfiles like those found in repositories: benches/corpus.py FOLDER [COUNT [WORKFLOWS]].

The mix is that of 2,227 Dockerfiles of 83 public repositories: one file in six has cache mounts, half of those lock
some, half of the locked ones have no id. Sizes run from a few lines to a few hundred. The seed is fixed, so every run
makes the same bytes.
"""

import random
import sys
from pathlib import Path

SEED = 20
LOCKED = ["/var/cache/apt", "/var/lib/apt", "/usr/local/cargo/registry"]
SHARED = ["/root/.cache/pip", "/root/.cache/go-build", "/root/.npm"]
PLAIN = [
    "ENV LANG=C.UTF-8 LC_ALL=C.UTF-8",
    "WORKDIR /srv/app",
    "COPY --from=build /out/app /usr/local/bin/app",
    "COPY . .",
    "USER app",
    "EXPOSE 8080",
    'LABEL org.opencontainers.image.source="https://example.org/app"',
    "ARG VERSION=1.2.3",
    "# hadolint ignore=DL3008",
    "# what follows is needed at run time only",
    'CMD ["/usr/local/bin/app", "--serve"]',
    "",
]


def run(rng, targets):
    """A RUN with caches at `targets`."""
    flags = []
    for target in targets:
        options = ["type=cache", f"target={target}"]
        # Nearly all of apt's caches are locked, and some of cargo's. One id in two modes is rare (3 findings in 657 real
        # files), so what goes against its tool's habit has an id of its own.
        usual, locked = "apt" in target, rng.random() < (0.93 if "apt" in target else 0.4 if "cargo" in target else 0)
        if locked:
            options.append("sharing=locked")
        if usual != locked:
            options.insert(1, f"id={target.rsplit('/', 1)[1]}-{rng.randint(0, 10**6)}")
        elif locked and rng.random() < 0.5:
            options.insert(1, f"id={target.rsplit('/', 1)[1]}-{rng.randint(0, 9)}")
        flags.append("--mount=" + ",".join(options))
    body = [f"apt-get install -y --no-install-recommends package-{rng.randint(0, 999)}" for _ in range(rng.randint(1, 6))]
    return "RUN " + " \\\n    ".join(flags + [" \\\n    && ".join(body)])


def dockerfile(rng):
    mounts = rng.random() < 352 / 2227
    caches = LOCKED + SHARED if mounts and rng.random() < 0.5 else SHARED
    mounted = lambda: rng.sample(caches, rng.randint(1, 3))
    lines = ["# syntax=docker/dockerfile:1"] if rng.random() < 0.3 else []
    for stage in range(rng.choice([1, 1, 1, 2, 2, 3, 5])):
        lines.append(f"FROM debian:bookworm-slim AS stage{stage}")
        for _ in range(int(rng.lognormvariate(2.6, 0.8))):
            plain, bare = rng.random() < 0.65, not mounts or rng.random() < 0.84
            lines.append(rng.choice(PLAIN) if plain else run(rng, [] if bare else mounted()))
    # Few lines can go by without what the file is to have.
    if mounts and not any("--mount" in line for line in lines):
        lines.append(run(rng, mounted()))
    if caches != SHARED and not any("sharing=locked" in line for line in lines):
        lines.append(run(rng, LOCKED[:2]))
    return "\n".join(lines) + "\n"


def workflow(rng, number, dockerfiles):
    """A workflow of GitHub Actions: some steps, and in two of three a build of one of the Dockerfiles."""
    lines = [f"name: workflow {number}", "on: [push, pull_request]", "permissions:", "  contents: read", "jobs:"]
    for job in range(rng.randint(1, 4)):
        lines += [f"  job{job}:", "    runs-on: ubuntu-latest"]
        if rng.random() < 0.4:
            lines += ["    strategy:", "      matrix:", "        python: [py310, py311, py313]"]
        lines += ["    steps:", "      - uses: actions/checkout@v4"]
        for step in range(rng.randint(1, 8)):
            lines += [f"      - name: step {step}", "        run: |"]
            lines += [f"          make target-{rng.randint(0, 99)} OPTION=\"$OPTION\"" for _ in range(rng.randint(1, 6))]
        folder = rng.choice(dockerfiles)
        match rng.randint(0, 2):
            case 0:
                lines += ["      - uses: docker/build-push-action@v6", "        with:", f"          context: {folder}"]
            case 1:
                lines += [f"      - run: docker build -t app {folder}"]
    return "\n".join(lines) + "\n"


def main():
    root, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1600
    workflows = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    rng = random.Random(SEED)
    for number in range(count):
        folder = root / f"team{number // 40}" / f"service{number % 40}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "Dockerfile").write_text(dockerfile(rng), encoding="utf-8")
    folders = [f"team{number // 40}/service{number % 40}" for number in range(count)]
    place = root / ".github" / "workflows"
    for number in range(workflows):
        place.mkdir(parents=True, exist_ok=True)
        (place / f"workflow{number}.yml").write_text(workflow(rng, number, folders), encoding="utf-8")


if __name__ == "__main__":
    main()
