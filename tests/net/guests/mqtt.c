/* SPDX-License-Identifier: Apache-2.0 */

/* A session with a broker that the firmware plays, and with two that do not behave. */

#include <string.h>

#include "local.h"

static void answered(uint32_t kind, uint32_t id, uint32_t value)
{
	struct wisp_mqtt_packet packet;

	EXPECT(wisp_mqtt_receive(0, WISP_MQTT_FOREVER, &packet) == 0);
	EXPECT(packet.kind == kind && packet.id == id && packet.value == value);
}

/* Begins a session with this many seconds between signs of life. */
static void begin(uint32_t seconds)
{
	EXPECT(wisp_net_open(WISP_NET_TCP) == 0);
	EXPECT(wisp_net_connect(0, LOCAL_HIGH, LOCAL_LOW, 8000, WISP_NET_FOREVER) == 0);
	EXPECT(wisp_mqtt_receive(0, 0, NOWHERE) == -WISP_EFAULT);
	EXPECT(wisp_mqtt_unsubscribe(0, "t", 1, 0) == -WISP_EPERM);
	EXPECT(wisp_mqtt_connect(0, "app", 3, "user\0word", 9, "will", 4, "gone", 4,
				 WISP_MQTT_RETAIN, seconds, WISP_MQTT_FOREVER) == 0);
	answered(WISP_MQTT_CONNECTED, 0, 0);
}

static void messages(void)
{
	char bytes[32];
	struct wisp_mqtt_packet packet;

	EXPECT(wisp_mqtt_subscribe(0, "a/+", 3, WISP_MQTT_AT_LEAST_ONCE, WISP_MQTT_FOREVER) == 1);
	answered(WISP_MQTT_SUBSCRIBED, 1, 1);
	EXPECT(wisp_mqtt_publish(0, "t", 1, "hello", 5, WISP_MQTT_AT_LEAST_ONCE, 0,
				 WISP_MQTT_FOREVER) == 2);
	answered(WISP_MQTT_PUBLISHED, 2, 0);
	EXPECT(wisp_mqtt_receive(0, WISP_MQTT_FOREVER, &packet) == 0);
	EXPECT(packet.kind == WISP_MQTT_MESSAGE && packet.value == WISP_MQTT_AT_LEAST_ONCE);
	EXPECT(packet.topic_length == 3 && packet.payload_length == 1000);
	EXPECT(wisp_mqtt_read(0, bytes, sizeof(bytes), WISP_MQTT_FOREVER) == 3);
	EXPECT(memcmp(bytes, "a/b", 3) == 0);
	EXPECT(wisp_mqtt_read(0, bytes, 2, WISP_MQTT_FOREVER) == 2);
	EXPECT(bytes[0] == 'x' && bytes[1] == 'x');
	/* The next call drops the rest, and acknowledges the message. */
	answered(WISP_MQTT_UNSUBSCRIBED, 9, 0);
}

/* The broker is silent until it has got a sign of life. */
static void waits(void)
{
	struct wisp_event_event event;
	struct wisp_mqtt_packet packet;
	int32_t result;

	EXPECT(wisp_net_watch(0, WISP_NET_READABLE) == 0);
	do {
		EXPECT(wisp_event_wait(WISP_EVENT_FOREVER, &event) == 0);
		EXPECT(event.kind == WISP_EVENT_NET && event.source == 0);
		result = wisp_mqtt_receive(0, 0, &packet);
	} while (result == -WISP_ETIMEDOUT);
	EXPECT(result == 0 && packet.kind == WISP_MQTT_MESSAGE && packet.payload_length == 0);
	EXPECT(wisp_mqtt_disconnect(0, WISP_MQTT_FOREVER) == 0);
	EXPECT(wisp_net_close(0) == 0);
}

/* A broker that ends the session: by what is no MQTT, or by not answering. */
static void ends(void)
{
	struct wisp_mqtt_packet packet;

	begin(1);
	EXPECT(wisp_mqtt_receive(0, WISP_MQTT_FOREVER, &packet) == -WISP_EIO);
	EXPECT(wisp_mqtt_publish(0, "t", 1, "", 0, 0, 0, 0) == -WISP_EIO);
	EXPECT(wisp_net_close(0) == 0);
}

int main(void)
{
	begin(2);
	messages();
	waits();
	ends();
	ends();
	return 0;
}
