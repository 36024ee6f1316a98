/* SPDX-License-Identifier: Apache-2.0 */
#include "wl.h"
/* a controller in Q16 fixed point: filter, PID, limits and a state machine, 256 samples of a simulated plant */
typedef int32_t q16;
static q16 mul(q16 a, q16 b) { return (q16)((int64_t)a * b >> 16); }
struct pid { q16 p, i, d, sum, last; };
enum state { IDLE, HEAT, HOLD, FAULT };
static NOINLINE q16 step(struct pid *pid, q16 error) {
  q16 slope = error - pid->last;
  pid->last = error;
  pid->sum += mul(pid->i, error);
  if (pid->sum > 100 << 16) pid->sum = 100 << 16;
  if (pid->sum < -(100 << 16)) pid->sum = -(100 << 16);
  q16 out = mul(pid->p, error) + pid->sum + mul(pid->d, slope);
  return out < 0 ? 0 : out > 100 << 16 ? 100 << 16 : out;
}
ENTRY uint32_t RUN(uint32_t n) {
  uint32_t sum = 0;
  for (uint32_t it = 0; it < n; it++) {
    struct pid pid = {3 << 16, 6000, 1 << 15, 0, 0};
    q16 plant = (q16)(20 + (it & 3)) << 16, filtered = plant, history[4] = {0};
    enum state state = IDLE;
    for (uint32_t t = 0; t < 256; t++) {
      q16 target = t < 20 ? 0 : t < 200 ? 60 << 16 : 40 << 16, power = 0;
      history[t & 3] = plant;
      filtered += ((history[0] + history[1] + history[2] + history[3]) / 4 - filtered) >> 1;
      switch (state) {
        case IDLE: if (target) state = HEAT; break;
        case HEAT: power = step(&pid, target - filtered); if (target - filtered < 2 << 16) state = HOLD; break;
        case HOLD: power = step(&pid, target - filtered) / 2; if (filtered > 90 << 16) state = FAULT; break;
        default: if (filtered < 30 << 16) state = IDLE; break;
      }
      plant += mul(power, 2500) - mul(plant - (20 << 16), 1200);
      sum = sum * 9u + (uint32_t)filtered + (uint32_t)state;
    }
  }
  return sum;
}
