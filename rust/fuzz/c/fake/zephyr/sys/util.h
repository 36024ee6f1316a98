/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FAKE_ZEPHYR_SYS_UTIL_H_
#define FAKE_ZEPHYR_SYS_UTIL_H_

#define MIN(_a, _b)          ((_a) < (_b) ? (_a) : (_b))
#define MAX(_a, _b)          ((_a) > (_b) ? (_a) : (_b))
#define DIV_ROUND_UP(_n, _d) (((_n) + (_d) - 1) / (_d))
/* Only for symbols that are defined as 1. */
#define IS_ENABLED(_symbol)  (_symbol)
/* Expands to the code in parentheses for symbols that are defined as 1, and to nothing for others. */
#define IF_ENABLED(_symbol, _code)   FAKE_IF(_symbol, _code)
#define FAKE_IF(_value, _code)       FAKE_PICK(FAKE_ONE_##_value _code, )
#define FAKE_ONE_1                   ,FAKE_CODE
#define FAKE_PICK(...)               FAKE_SECOND(__VA_ARGS__, )
#define FAKE_SECOND(_first, _second, ...) _second
#define FAKE_CODE(...)               __VA_ARGS__
#define ARG_UNUSED(_x)       ((void)(_x))

#endif /* FAKE_ZEPHYR_SYS_UTIL_H_ */
