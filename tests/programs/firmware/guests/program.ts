// SPDX-License-Identifier: Apache-2.0

export function _start(): void {
  let sum = 0;
  const numbers = new Array<i32>();
  for (let i = 1; i <= 100; i++) numbers.push(i);
  for (let i = 0; i < numbers.length; i++) sum += numbers[i];
  trace("in AssemblyScript", 3, 2, 1.5, sum);
  const line = "the cat the dog the";
  console.log(line + ": " + line.split(" ").length.toString() + ", " + line.indexOf("dog").toString());
  throw new Error("the end");
}
