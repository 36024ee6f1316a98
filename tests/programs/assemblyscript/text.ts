// SPDX-License-Identifier: Apache-2.0
// memory: 65536

export function _start(): void {
  const text = "Grüße, Welt! 🦀";
  console.log(text.toUpperCase() + " " + text.length.toString());
  console.log(text.substring(0, 5) + "|" + text.padEnd(18, ".") + "|" + text.indexOf("Welt").toString());
  console.info(String.UTF8.byteLength(text).toString() + " " + "a,b,c".split(",").join("+"));
  console.warn((0.1 + 0.2).toString() + " " + (1e21).toString() + " " + (5e-324).toString() + " " + (1.5 as f32).toString());
  console.error(i64.MIN_VALUE.toString() + " " + (255).toString(16) + " " + parseInt("0x1f").toString() + " " + parseFloat("-2.5e3").toString());
  console.log("trim   ".trim() + "|" + "x".repeat(5) + "|" + "abc".charCodeAt(1).toString() + "|" + "one two".replace("two", "2"));
}
