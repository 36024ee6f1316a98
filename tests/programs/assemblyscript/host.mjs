// SPDX-License-Identifier: Apache-2.0
// Runs a module of AssemblyScript's compiler in node's engine: what asc imports by default, printed as Wisp logs it.
// usage: node host.mjs MODULE
import { readFileSync } from "node:fs";

let memory;

function text(pointer) {
  if (pointer === 0) return "";
  const bytes = new DataView(memory.buffer).getUint32(pointer - 4, true);
  return new TextDecoder("utf-16le").decode(new Uint8Array(memory.buffer, pointer, bytes));
}

function number(value) {
  return Number.isInteger(value) ? String(value) : String(Number(value.toFixed(6)));
}

const say = (message) => console.log(text(message));
const env = {
  abort: (message, file, line, column) => {
    console.log(`abort: ${text(message)} in ${text(file)}:${line}:${column}`);
  },
  trace: (message, count, ...numbers) => {
    const shown = numbers.slice(0, count).map(number).join(", ");
    console.log(`trace: ${text(message)}${shown === "" ? "" : " " + shown}`);
  },
  seed: () => 0.5,
  "Date.now": () => Date.now(),
  "performance.now": () => performance.now(),
  "console.log": say,
  "console.info": say,
  "console.debug": say,
  "console.warn": say,
  "console.error": say,
};

const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), { env });
memory = instance.exports.memory;
try {
  instance.exports._start();
} catch (error) {
  process.exit(1);
}
