/* SPDX-License-Identifier: Apache-2.0 */

/**
 * @file
 * @brief Client of a rollout server that speaks hawkBit's DDI.
 */

#ifndef WISP_INCLUDE_WISP_DDI_H_
#define WISP_INCLUDE_WISP_DDI_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @defgroup wisp_ddi Wisp DDI client
 * @ingroup wisp
 * @brief Apps that a rollout server brings to the device, with @kconfig{CONFIG_WISP_DDI}.
 *
 * The client has a thread of its own. Its functions may be called from any thread, and not from an
 * interrupt.
 * @{
 */

/** @brief Bytes that the id of an action takes at most, with its NUL. */
#define WISP_DDI_ID_SIZE     32
/** @brief Bytes that the device's id on the server takes at most, with its NUL. */
#define WISP_DDI_DEVICE_SIZE 64
/** @brief Bytes that a token takes at most, with its NUL. */
#define WISP_DDI_TOKEN_SIZE  96
/** @brief Bytes that name and version of a software module take at most, with the NUL. */
#define WISP_DDI_MODULE_SIZE 48
/** @brief Bytes that a line about a success or a failure takes at most, with its NUL. */
#define WISP_DDI_WORDS_SIZE  192

/** @brief What the client is doing. */
enum wisp_ddi_phase {
	/** It has not reached the server yet. */
	WISP_DDI_PHASE_STARTING,
	/** There is no action. */
	WISP_DDI_PHASE_IDLE,
	/** There is an action that is not to be installed yet. */
	WISP_DDI_PHASE_HOLDING,
	/** It downloads an image. */
	WISP_DDI_PHASE_DOWNLOADING,
	/** An update is on trial. */
	WISP_DDI_PHASE_TRIAL,
	/** Reports to the server how the action ended. */
	WISP_DDI_PHASE_REPORTING,
};

/** @brief State of the client. */
struct wisp_ddi_status {
	/** What it is doing. */
	enum wisp_ddi_phase phase;
	/** Id of the action, or empty. */
	char action[WISP_DDI_ID_SIZE];
	/** Software module that the action is at, or empty. */
	char module[WISP_DDI_MODULE_SIZE];
	/** Bytes of its image that the app storage has. */
	uint32_t bytes;
	/** Bytes of its image. */
	uint32_t size;
	/** Milliseconds until the next poll of the server. */
	uint32_t next_ms;
	/** Requests in a row that failed. */
	uint32_t failures;
	/** Why the last step was not done, or empty. */
	char trouble[WISP_DDI_WORDS_SIZE];
	/** How the last action since boot ended, or empty. */
	char last[WISP_DDI_WORDS_SIZE];
};

/**
 * @brief Reads the state of the client.
 *
 * @param[out] status State.
 */
void wisp_ddi_status(struct wisp_ddi_status *status);

/** @brief Polls the server now, ahead of the interval that it gave. */
void wisp_ddi_poll(void);

/**
 * @brief Saves who the device is and where the server is.
 *
 * @param key "server", "device" or "token".
 * @param value Value. An empty one goes back to that of the configuration.
 *
 * @retval 0 The value is saved and used from the next poll on.
 * @retval -EINVAL There is no such key.
 * @retval -ENAMETOOLONG The value is too long.
 * @return Another negative errno if the settings cannot be written.
 */
int wisp_ddi_set(const char *key, const char *value);

/** @} */

#ifdef __cplusplus
}
#endif

#endif /* WISP_INCLUDE_WISP_DDI_H_ */
