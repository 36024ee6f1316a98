/* SPDX-License-Identifier: Apache-2.0 */

/**
 * @file
 * @brief Access of the firmware to channels of messages that apps use.
 */

#ifndef WISP_INCLUDE_WISP_CHANNEL_H_
#define WISP_INCLUDE_WISP_CHANNEL_H_

#include <zephyr/devicetree.h>
#include <zephyr/sys/util.h>
#include <zephyr/zbus/zbus.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @addtogroup wisp
 * @{
 */

/** @cond INTERNAL_HIDDEN */

#define Z_WISP_CHANNEL_DT_NAME(_node_id)                                                           \
	COND_CODE_1(DT_NODE_HAS_PROP(_node_id, zbus_channel),                                      \
		    (DT_STRING_TOKEN(_node_id, zbus_channel)),                                     \
		    (_CONCAT(wisp_channel_, DT_NODE_FULL_NAME_TOKEN(_node_id))))

#define Z_WISP_CHANNEL_DT_DECLARE(_node_id)                                                        \
	extern const struct zbus_channel Z_WISP_CHANNEL_DT_NAME(_node_id);

#define Z_WISP_CHANNELS_DT_DECLARE(_node_id)                                                       \
	DT_FOREACH_CHILD_STATUS_OKAY(_node_id, Z_WISP_CHANNEL_DT_DECLARE)

DT_FOREACH_STATUS_OKAY(wisp_channels, Z_WISP_CHANNELS_DT_DECLARE)

/** @endcond */

/**
 * @brief Gets the zbus channel of a devicetree node.
 *
 * The firmware publishes on the channel and observes it as on any zbus channel.
 *
 * @param _node_id Node identifier of a child of a `wisp,channels` node.
 *
 * @return Pointer to the `const struct zbus_channel`, a constant expression.
 */
#define WISP_CHANNEL_DT_GET(_node_id) (&Z_WISP_CHANNEL_DT_NAME(_node_id))

/** @brief Counts of a channel's messages since boot, over all subscribed apps. */
struct wisp_channel_stat {
	/** Apps that have the channel open to receive. */
	uint32_t subscribers;
	/** Messages that were written to queues of apps. */
	uint32_t delivered;
	/** Messages that were lost because a queue was full. */
	uint32_t lost;
	/**
	 * Messages for which every subscribed app still has room. UINT32_MAX without
	 * subscribers.
	 */
	uint32_t room;
};

/**
 * @brief Reads the counts of a channel's messages.
 *
 * May be called from any thread and from interrupts. Takes time in proportion to the number of
 * grants of all apps.
 *
 * @param channel Channel of a `wisp,channels` node.
 * @param[out] stat Counts of the channel.
 */
void wisp_channel_stat(const struct zbus_channel *channel, struct wisp_channel_stat *stat);

/** @} */

#ifdef __cplusplus
}
#endif

#endif /* WISP_INCLUDE_WISP_CHANNEL_H_ */
