// SPDX-License-Identifier: Apache-2.0

export function _start(): void {
  let sum = 0;
  const numbers = new Array<i32>();
  for (let i = 1; i <= 100; i++) numbers.push(i);
  for (let i = 0; i < numbers.length; i++) sum += numbers[i];
  trace("in AssemblyScript", 3, 2, 1.5, sum);
  const counts = new Map<string, i32>();
  const words = "the cat the dog the".split(" ");
  for (let i = 0; i < words.length; i++) {
    counts.set(words[i], (counts.has(words[i]) ? counts.get(words[i]) : 0) + 1);
  }
  const keys = counts.keys();
  let line = "";
  for (let i = 0; i < keys.length; i++) line += keys[i] + "=" + counts.get(keys[i]).toString() + " ";
  console.log(line.trim());
  throw new Error("the end");
}
