/* SPDX-License-Identifier: Apache-2.0 */

/* Starts Zephyr's LwM2M client. A product has its server, its name and its keys in its own way. */

#include <zephyr/init.h>
#include <zephyr/net/lwm2m.h>

static struct lwm2m_ctx client;

static void happened(struct lwm2m_ctx *context, enum lwm2m_rd_client_event event)
{
	ARG_UNUSED(context);
	ARG_UNUSED(event);
}

static int start_client(void)
{
	(void)lwm2m_set_string(&LWM2M_OBJ(LWM2M_OBJECT_SECURITY_ID, 0, 0),
			       CONFIG_SAMPLE_LWM2M_SERVER);
	/* No security: whoever sends packets with the server's address is the server. */
	(void)lwm2m_set_u8(&LWM2M_OBJ(LWM2M_OBJECT_SECURITY_ID, 0, 2), 3);
	(void)lwm2m_set_u16(&LWM2M_OBJ(LWM2M_OBJECT_SECURITY_ID, 0, 10),
			    CONFIG_LWM2M_SERVER_DEFAULT_SSID);
	(void)lwm2m_set_u16(&LWM2M_OBJ(LWM2M_OBJECT_SERVER_ID, 0, 0),
			    CONFIG_LWM2M_SERVER_DEFAULT_SSID);
	return lwm2m_rd_client_start(&client, CONFIG_BOARD, 0, happened, NULL);
}

SYS_INIT(start_client, APPLICATION, 99);
