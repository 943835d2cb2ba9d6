#!/usr/bin/env node
// Runs the program of the platform's package, with the same standard streams; its exit code, or the signal that ended it, is
// this process's own.
"use strict";

const { spawn } = require("node:child_process");
const { optionalDependencies, version } = require("../package.json");

const platform = `${process.platform}-${process.arch}`;
const name = `@cachelane/${platform}`;

function fail(message) {
  console.error(`cachelane: ${message}`);
  process.exit(2);
}

function find() {
  if (!(name in optionalDependencies)) {
    fail(
      `there is no program for ${platform}, only for ${Object.keys(optionalDependencies)
        .map((name) => name.split("/")[1])
        .join(", ")}. With Rust: cargo install cachelane --locked`,
    );
  }
  try {
    return require.resolve(`${name}/cachelane${process.platform === "win32" ? ".exe" : ""}`);
  } catch {
    return fail(
      `the package ${name} is not installed. It is an optional dependency: install without \`--omit=optional\` or ` +
        `\`--no-optional\`, on this system, or add it: npm install ${name}@${version}`,
    );
  }
}

const child = spawn(find(), process.argv.slice(2), { stdio: "inherit" });
child.on("error", (error) => fail(error.message));
const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
for (const signal of signals) {
  process.on(signal, () => {
    // A terminal sends Ctrl-C to both.
    if (signal !== "SIGINT" || !process.stdin.isTTY) {
      child.kill(signal);
    }
  });
}
child.on("exit", (code, signal) => {
  if (signal === null) {
    process.exit(code);
  }
  for (const passed of signals) {
    process.removeAllListeners(passed);
  }
  process.kill(process.pid, signal);
});
