// SPDX-License-Identifier: Apache-2.0
// Does the steps of a plan with node's own engine and prints what comes of each, a line each. Standard input has the
// module, the modules that stand in for its imports, and the steps, as JSON.
import { readFileSync } from 'node:fs';

const { module: file, stubs, plan } = JSON.parse(readFileSync(0, 'utf8'));
const compiled = new WebAssembly.Module(readFileSync(file));
const imports = {};
for (const [path, name] of stubs) {
  imports[name] = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path))).exports;
}
let instance;
let memory;

const bits = new DataView(new ArrayBuffer(8));

/** The types of an exported function's results cannot be asked for: they are read from the module's bytes. */
function signatures(bytes) {
  let at = 8;
  const leb = () => {
    let value = 0, shift = 0, byte;
    do {
      byte = bytes[at++];
      value += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    } while (byte & 0x80);
    return value;
  };
  const name = () => {
    const length = leb();
    at += length;
    return new TextDecoder().decode(bytes.subarray(at - length, at));
  };
  const types = [], functions = [], exported = new Map();
  while (at < bytes.length) {
    const id = bytes[at++], size = leb(), end = at + size;
    if (id === 1) {
      for (let count = leb(); count > 0; count--) {
        at++;
        const params = Array.from({ length: leb() }, () => bytes[at++]);
        types.push({ params, results: Array.from({ length: leb() }, () => bytes[at++]) });
      }
    } else if (id === 2) {
      for (let count = leb(); count > 0; count--) {
        name();
        name();
        const kind = bytes[at++];
        if (kind === 0) {
          functions.push(leb());
        } else if (kind === 3) {
          at += 2;
        } else {
          at += kind === 1 ? 1 : 0;
          const flags = bytes[at++];
          leb();
          if (flags & 1) leb();
        }
      }
    } else if (id === 3) {
      for (let count = leb(); count > 0; count--) functions.push(leb());
    } else if (id === 7) {
      for (let count = leb(); count > 0; count--) {
        const text = name(), kind = bytes[at++], index = leb();
        if (kind === 0) exported.set(text, types[functions[index]]);
      }
    }
    at = end;
  }
  return exported;
}

const exported = signatures(readFileSync(file));

function shown(type, value) {
  if (type === 0x7e) return `I:${value}`;
  if (type === 0x7d) {
    bits.setFloat32(0, value, true);
    return `f:${Number.isNaN(value) ? -1 : bits.getUint32(0, true)}`;
  }
  if (type === 0x7c) {
    bits.setFloat64(0, value, true);
    return `F:${Number.isNaN(value) ? -1 : bits.getBigInt64(0, true)}`;
  }
  if (type === 0x7f) return `i:${value}`;
  return `r:${value === null ? 0 : 1}`;
}

function step(words) {
  if (words[0] === 'start') {
    instance = new WebAssembly.Instance(compiled, imports);
    const everything = [...Object.values(imports).flatMap((module) => Object.values(module)),
      ...Object.values(instance.exports)];
    memory = everything.filter((item) => item instanceof WebAssembly.Memory).pop();
    return 'ok';
  }
  if (words[0] === 'write') {
    Buffer.from(memory.buffer, words[1] >>> 0, words[2].length / 2).set(Buffer.from(words[2], 'hex'));
    return 'done';
  }
  if (words[0] === 'read') {
    return Buffer.from(memory.buffer, words[1] >>> 0, Number(words[2])).toString('hex');
  }
  const { params, results } = exported.get(words[1]);
  const values = params.map((type, at) => (type === 0x7e ? BigInt(words[2 + at]) : Number(words[2 + at])));
  const result = instance.exports[words[1]](...values);
  const list = results.length === 1 ? [result] : results.length ? [...result] : [];
  return ['values', ...list.map((value, at) => shown(results[at], value))].join(' ');
}

for (const line of plan) {
  try {
    console.log(step(line.split(' ')));
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError) && !(error instanceof RangeError)) throw error;
    console.log(`trap ${error.message}`);
  }
}
