/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * @brief Addresses in text.
 */
#ifndef WISP_GUEST_ARPA_INET_H_
#define WISP_GUEST_ARPA_INET_H_

#include <netinet/in.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Finds the address of a granted name, or reads an address in text, for which there must be an
 * entry. Writes a struct in_addr or a struct in6_addr. Returns 1, 0 if it has no address of this
 * family, or -1 and sets errno.
 */
int inet_pton(int family, const char *text, void *address);

#ifdef __cplusplus
}
#endif

#endif /* WISP_GUEST_ARPA_INET_H_ */
