// SPDX-License-Identifier: Apache-2.0
// memory: 65536

export function _start(): void {
  const counts = new Map<string, i32>();
  const words = "the cat and the dog and the bird".split(" ");
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    counts.set(word, counts.has(word) ? counts.get(word) + 1 : 1);
  }
  const keys = counts.keys().sort();
  for (let i = 0; i < keys.length; i++) trace(keys[i], 1, counts.get(keys[i]));
  const set = new Set<i32>();
  for (let i = 0; i < 50; i++) set.add(i % 7);
  trace("set", 1, set.size);
  const numbers = new Array<f64>();
  for (let i = 0; i < 100; i++) numbers.push(f64(100 - i) / 8);
  numbers.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  trace("numbers", 3, numbers[0], numbers[99], numbers.reduce((sum, n) => sum + n, 0.0));
  console.log(numbers.slice(0, 4).map<string>((n) => n.toString()).join(" "));
  const bytes = new Uint8Array(16);
  for (let i = 0; i < bytes.length; i++) bytes[i] = u8(i * 37);
  trace("bytes", 2, bytes[7], bytes[15]);
}
