/* SPDX-License-Identifier: Apache-2.0 */

/* Generated from the CONFIG_WISP_*_KEY_FILE options. */

#ifndef WISP_STORAGE_PUBLIC_KEYS_H_
#define WISP_STORAGE_PUBLIC_KEYS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const uint8_t wisp_public_keys[];
extern const size_t wisp_public_key_count;
extern const uint8_t wisp_root_keys[];
extern const size_t wisp_root_key_count;
extern const uint8_t wisp_compile_keys[];
extern const size_t wisp_compile_key_count;
extern const uint8_t wisp_management_keys[];
extern const size_t wisp_management_key_count;
/* True if one of them is the key of the samples, whose secret key is public. */
extern const bool wisp_has_development_key;

#endif /* WISP_STORAGE_PUBLIC_KEYS_H_ */
