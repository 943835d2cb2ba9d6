#!/usr/bin/env node
// pack.js FOLDER TARGET=PROGRAM…
//
// Writes the packages for npm into FOLDER: `cachelane`, which starts the program, and one with the program for each target
// that is given. Their version is the crate's. Prints the names of the files.
"use strict";

const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

// Node's names for what Rust calls the target. The program for musl needs no library, so it runs on every Linux.
const PLATFORMS = {
  "linux-x64": "x86_64-unknown-linux-musl",
  "linux-arm64": "aarch64-unknown-linux-musl",
  "darwin-x64": "x86_64-apple-darwin",
  "darwin-arm64": "aarch64-apple-darwin",
  "win32-x64": "x86_64-pc-windows-gnu",
  "win32-arm64": "aarch64-pc-windows-gnullvm",
};

const root = path.resolve(__dirname, "../..");
const version = fs.readFileSync(path.join(root, "Cargo.toml"), "utf8").match(/^version = "(.+)"$/m)[1];
const launcher = path.join(__dirname, "cachelane");
const common = JSON.parse(fs.readFileSync(path.join(launcher, "package.json"), "utf8"));

function pack(folder, description, files) {
  const work = fs.mkdtempSync(path.join(os.tmpdir(), "cachelane-npm-"));
  try {
    const licences = ["LICENSE-APACHE", "LICENSE-MIT"].map((name) => [name, path.join(root, name)]);
    for (const [name, from] of [...files, ...licences]) {
      const to = path.join(work, name);
      fs.mkdirSync(path.dirname(to), { recursive: true });
      fs.copyFileSync(from, to);
      fs.chmodSync(to, name.startsWith("LICENSE") || name.endsWith(".md") ? 0o644 : 0o755);
    }
    fs.writeFileSync(path.join(work, "package.json"), `${JSON.stringify(description, null, 2)}\n`);
    const arguments_ = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
    process.stdout.write(execFileSync("npm", arguments_, { cwd: work }));
  } finally {
    fs.rmSync(work, { recursive: true });
  }
}

const [folder, ...programs] = process.argv.slice(2);
if (folder === undefined) {
  throw new Error("pack.js FOLDER TARGET=PROGRAM…");
}
fs.mkdirSync(folder, { recursive: true });
const to = path.resolve(folder);
for (const [target, program] of programs.map((word) => word.split("="))) {
  const platform = Object.keys(PLATFORMS).find((name) => PLATFORMS[name] === target);
  if (platform === undefined) {
    throw new Error(`no platform of npm is ${target}`);
  }
  const [system, cpu] = platform.split("-");
  const { license, repository } = common;
  const name = system === "win32" ? "cachelane.exe" : "cachelane";
  const description = {
    name: `@cachelane/${platform}`,
    version,
    description: `The program of the package cachelane, for ${platform}`,
    license,
    repository,
    os: [system],
    cpu: [cpu],
    preferUnplugged: true,
  };
  pack(to, description, [[name, path.resolve(program)]]);
}
const optionalDependencies = Object.fromEntries(
  Object.keys(PLATFORMS).map((platform) => [`@cachelane/${platform}`, version]),
);
pack(to, { ...common, version, optionalDependencies }, [
  ["README.md", path.join(root, "README.md")],
  ["bin/cachelane.js", path.join(launcher, "bin/cachelane.js")],
]);
