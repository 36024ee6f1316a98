// SPDX-License-Identifier: Apache-2.0
// Runs a command for WASI with node's own engine: wasi.mjs MODULE FOLDER [ARGUMENT...]. FOLDER is the command's `/`.
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const [file, folder, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: 'preview1', args: ['program', ...args], preopens: { '/': folder } });
const compiled = await WebAssembly.compile(readFileSync(file));
process.exitCode = wasi.start(await WebAssembly.instantiate(compiled, wasi.getImportObject()));
