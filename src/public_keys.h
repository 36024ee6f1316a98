/* SPDX-License-Identifier: Apache-2.0 */

/* Generated from CONFIG_WISP_SIGNATURE_KEY_FILE. */

#ifndef WISP_SRC_PUBLIC_KEYS_H_
#define WISP_SRC_PUBLIC_KEYS_H_

#include <stddef.h>
#include <stdint.h>

extern const uint8_t wisp_public_keys[];
extern const size_t wisp_public_key_count;

#endif /* WISP_SRC_PUBLIC_KEYS_H_ */
