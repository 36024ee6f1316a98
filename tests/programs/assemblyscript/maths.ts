// SPDX-License-Identifier: Apache-2.0
// memory: 65536

export function _start(): void {
  trace("trigonometry", 4, Math.sin(1), Math.cos(1), Math.tan(1), Math.atan2(1, 2));
  trace("powers", 4, Math.sqrt(2), Math.pow(2, 0.5), Math.exp(1), Math.log(10));
  trace("rounding", 5, Math.floor(-1.5), Math.ceil(-1.5), Math.round(2.5), Math.trunc(-2.7), nearest<f64>(2.5));
  trace("integers", 3, f64(i32(7) / 2), f64(clz<u32>(1)), f64(popcnt<u64>(u64.MAX_VALUE)));
  trace("none");
  trace("signs", 3, -0.25, 1e6, 123456.789);
  let hash: u64 = 14695981039346656037;
  for (let i = 0; i < 100; i++) hash = (hash ^ i) * 1099511628211;
  trace("hash", 2, f64(hash >> 40), f64(u32(hash)));
  trace("time", 2, f64(Date.now() > 1600000000000), f64(Math.random() < 1));
}
