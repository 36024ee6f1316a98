/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FAKE_ZEPHYR_SYS_UTIL_H_
#define FAKE_ZEPHYR_SYS_UTIL_H_

#define MIN(_a, _b)          ((_a) < (_b) ? (_a) : (_b))
#define MAX(_a, _b)          ((_a) > (_b) ? (_a) : (_b))
#define DIV_ROUND_UP(_n, _d) (((_n) + (_d) - 1) / (_d))
/* Only for symbols that are defined as 1. */
#define IS_ENABLED(_symbol)  (_symbol)
/* Nothing that is tested here has grants of devices. */
#define IF_ENABLED(_symbol, _code)
#define ARG_UNUSED(_x)       ((void)(_x))

#endif /* FAKE_ZEPHYR_SYS_UTIL_H_ */
