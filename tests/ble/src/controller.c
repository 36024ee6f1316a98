/* SPDX-License-Identifier: Apache-2.0 */

#define DT_DRV_COMPAT wisp_test_hci

#include <string.h>

#include <zephyr/bluetooth/buf.h>
#include <zephyr/bluetooth/crypto.h>
#include <zephyr/bluetooth/hci_types.h>
#include <zephyr/drivers/bluetooth.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/byteorder.h>

#include "controller.h"

/* The longest answer that the host reads has 64 bytes behind the status. */
#define ANSWER_SIZE 65

/* Bytes of L2CAP in one packet, which hold the header of L2CAP and 23 bytes of ATT. */
#define ACL_SIZE 27
#define ATT_SIZE 23
#define ATT_CID  4
#define HANDLE   1

/* What the host does wrong ends a test or a sample. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			k_panic();                                                                 \
		}                                                                                  \
	} while (false)

struct controller controller;

static bt_hci_recv_t to_host;
static K_FIFO_DEFINE(commands);
static K_SEM_DEFINE(held, 0, 1);
static K_SEM_DEFINE(released, 0, 1);

static void set_data(uint8_t *length, uint8_t *data, const uint8_t *command)
{
	*length = command[0];
	CHECK(*length <= 31);
	memcpy(data, &command[1], 31);
}

/* Does what a command says, and fills in what the host reads of the answer. */
static void obey(uint16_t opcode, const uint8_t *command, uint8_t *answer)
{
	switch (opcode) {
	case BT_HCI_OP_READ_LOCAL_FEATURES:
		/* LE, and no other Bluetooth. */
		answer[4] = BIT(6) | BIT(5);
		break;
	case BT_HCI_OP_READ_LOCAL_VERSION_INFO:
		answer[0] = BT_HCI_VERSION_5_0;
		break;
	case BT_HCI_OP_READ_BD_ADDR:
		answer[5] = 0xc0;
		break;
	case BT_HCI_OP_LE_READ_SUPP_STATES:
		memset(answer, 0xff, 8);
		break;
	case BT_HCI_OP_LE_READ_BUFFER_SIZE:
		sys_put_le16(ACL_SIZE, answer);
		answer[2] = 3;
		break;
	case BT_HCI_OP_LE_SET_ADV_PARAM:
		CHECK(!controller.advertises);
		controller.interval = sys_get_le16(command);
		CHECK(sys_get_le16(&command[2]) >= controller.interval);
		controller.advertising_type = command[4];
		break;
	case BT_HCI_OP_LE_SET_ADV_DATA:
		set_data(&controller.data_length, controller.data, command);
		break;
	case BT_HCI_OP_LE_SET_SCAN_RSP_DATA:
		set_data(&controller.response_length, controller.response, command);
		break;
	case BT_HCI_OP_LE_SET_ADV_ENABLE:
		controller.advertises = command[0] != 0;
		controller.starts += controller.advertises;
		break;
	case BT_HCI_OP_LE_SET_SCAN_PARAM:
		CHECK(!controller.scans);
		controller.scan_type = command[0];
		controller.scan_interval = sys_get_le16(&command[1]);
		controller.scan_window = sys_get_le16(&command[3]);
		controller.scan_starts++;
		break;
	case BT_HCI_OP_LE_SET_SCAN_ENABLE:
		controller.scans = command[0] != 0;
		break;
	default:
		break;
	}
}

struct pdu {
	uint8_t length;
	uint8_t bytes[ATT_SIZE];
};
K_MSGQ_DEFINE(answers, sizeof(struct pdu), 4, 1);
K_MSGQ_DEFINE(notifications, sizeof(struct pdu), 8, 1);
static bool is_connected;

bool controller_is_connected(void)
{
	return is_connected;
}

static void tell(uint8_t code, const void *bytes, size_t length)
{
	struct net_buf *event = bt_hci_evt_create(code, (uint8_t)length);

	net_buf_add_mem(event, bytes, length);
	CHECK(to_host(DEVICE_DT_INST_GET(0), event) == 0);
}

void controller_connect(uint64_t address)
{
	uint8_t event[1 + sizeof(struct bt_hci_evt_le_conn_complete)] = {
		BT_HCI_EVT_LE_CONN_COMPLETE};
	struct bt_hci_evt_le_conn_complete *complete = (void *)&event[1];

	CHECK(controller.advertises && controller.advertising_type == BT_HCI_ADV_IND);
	controller.advertises = false;
	is_connected = true;
	complete->handle = sys_cpu_to_le16(HANDLE);
	complete->role = BT_HCI_ROLE_PERIPHERAL;
	complete->peer_addr.type = BT_ADDR_LE_RANDOM;
	sys_put_le48(address, complete->peer_addr.a.val);
	complete->interval = sys_cpu_to_le16(24);
	complete->supv_timeout = sys_cpu_to_le16(400);
	tell(BT_HCI_EVT_LE_META_EVENT, event, sizeof(event));
}

void controller_disconnect(void)
{
	struct bt_hci_evt_disconn_complete complete = {
		.handle = sys_cpu_to_le16(HANDLE),
		.reason = BT_HCI_ERR_REMOTE_USER_TERM_CONN,
	};

	if (is_connected) {
		is_connected = false;
		tell(BT_HCI_EVT_DISCONN_COMPLETE, &complete, sizeof(complete));
	}
}

/* Takes a packet of the host, and says that it was sent. */
static void carry(struct net_buf *packet)
{
	const uint8_t *bytes = &packet->data[1];
	uint8_t done[5] = {1, HANDLE, 0, 1, 0};
	size_t length = sys_get_le16(&bytes[4]);
	struct pdu pdu = {.length = (uint8_t)length};

	/* Other channels than that of ATT are nothing to the tests. */
	if (sys_get_le16(&bytes[6]) == ATT_CID) {
		CHECK(length <= ATT_SIZE);
		memcpy(pdu.bytes, &bytes[8], length);
		CHECK(k_msgq_put(pdu.bytes[0] == ATT_NOTIFICATION ? &notifications : &answers,
				      &pdu, K_NO_WAIT) == 0);
	}
	net_buf_unref(packet);
	tell(BT_HCI_EVT_NUM_COMPLETED_PACKETS, done, sizeof(done));
}

size_t controller_request(const void *request, size_t length, uint8_t answer[23])
{
	struct net_buf *packet = bt_buf_get_rx(BT_BUF_ACL_IN, K_SECONDS(10));
	struct pdu pdu;

	CHECK(packet != NULL);
	/* The first packet of a message. */
	net_buf_add_le16(packet, HANDLE | (0x2 << 12));
	net_buf_add_le16(packet, (uint16_t)(4 + length));
	net_buf_add_le16(packet, (uint16_t)length);
	net_buf_add_le16(packet, ATT_CID);
	net_buf_add_mem(packet, request, length);
	CHECK(to_host(DEVICE_DT_INST_GET(0), packet) == 0);
	CHECK(k_msgq_get(&answers, &pdu, K_SECONDS(30)) == 0);
	memcpy(answer, pdu.bytes, pdu.length);
	return pdu.length;
}

size_t controller_wait_for_notification(uint8_t notification[23])
{
	struct pdu pdu;

	CHECK(k_msgq_get(&notifications, &pdu, K_SECONDS(30)) == 0);
	memcpy(notification, pdu.bytes, pdu.length);
	return pdu.length;
}

static void answer(struct net_buf *command)
{
	const struct bt_hci_cmd_hdr *header = (const void *)&command->data[1];
	uint16_t opcode = sys_le16_to_cpu(header->opcode);
	struct net_buf *event;
	uint8_t *bytes;

	if (opcode == controller.held) {
		controller.held = 0;
		k_sem_give(&held);
		CHECK(k_sem_take(&released, K_SECONDS(30)) == 0);
	}
	event = bt_hci_cmd_complete_create(opcode, ANSWER_SIZE);
	bytes = net_buf_add(event, ANSWER_SIZE);
	memset(bytes, 0, ANSWER_SIZE);
	if (opcode == controller.failing) {
		controller.failing = 0;
		bytes[0] = BT_HCI_ERR_HW_FAILURE;
	} else {
		obey(opcode, &command->data[1 + sizeof(*header)], &bytes[1]);
	}
	net_buf_unref(command);
	CHECK(to_host(DEVICE_DT_INST_GET(0), event) == 0);
	if (opcode == BT_HCI_OP_DISCONNECT) {
		controller_disconnect();
	}
}

static void run(void *a, void *b, void *c)
{
	ARG_UNUSED(a);
	ARG_UNUSED(b);
	ARG_UNUSED(c);
	while (true) {
		struct net_buf *packet = k_fifo_get(&commands, K_FOREVER);

		if (packet->data[0] == BT_HCI_H4_ACL) {
			carry(packet);
		} else {
			answer(packet);
		}
	}
}
K_THREAD_DEFINE(controller_thread, 1536 + 2048 * IS_ENABLED(CONFIG_ARCH_POSIX), run, NULL, NULL,
		NULL, K_PRIO_COOP(5), 0, 0);

static int open(const struct device *dev, bt_hci_recv_t recv)
{
	ARG_UNUSED(dev);
	to_host = recv;
	return 0;
}

static int send(const struct device *dev, struct net_buf *buf)
{
	ARG_UNUSED(dev);
	CHECK(buf->data[0] == BT_HCI_H4_CMD || buf->data[0] == BT_HCI_H4_ACL);
	k_fifo_put(&commands, buf);
	return 0;
}

static DEVICE_API(bt_hci, api) = {
	.open = open,
	.send = send,
};

DEVICE_DT_INST_DEFINE(0, NULL, NULL, NULL, NULL, POST_KERNEL, CONFIG_KERNEL_INIT_PRIORITY_DEVICE,
		      &api);

/* A controller has the random numbers of a host without CONFIG_BT_HOST_CRYPTO. */
int bt_rand(void *buf, size_t len)
{
	memset(buf, 0x5a, len);
	return 0;
}

void controller_hear(uint8_t type, uint64_t address, int8_t rssi, const void *data, size_t length)
{
	struct bt_hci_evt_le_advertising_info *info;
	struct net_buf *event;

	if (!controller.scans) {
		return;
	}
	event = bt_hci_evt_create(BT_HCI_EVT_LE_META_EVENT, 2 + sizeof(*info) + length + 1);
	net_buf_add_u8(event, BT_HCI_EVT_LE_ADVERTISING_REPORT);
	net_buf_add_u8(event, 1);
	info = net_buf_add(event, sizeof(*info));
	info->evt_type = type;
	/* The two highest bits of an address that is random and stays are set. */
	info->addr.type = (address >> 46) == 3 ? BT_ADDR_LE_RANDOM : BT_ADDR_LE_PUBLIC;
	sys_put_le48(address, info->addr.a.val);
	info->length = (uint8_t)length;
	net_buf_add_mem(event, data, length);
	net_buf_add_u8(event, (uint8_t)rssi);
	CHECK(to_host(DEVICE_DT_INST_GET(0), event) == 0);
}

void controller_wait_for_held(void)
{
	CHECK(k_sem_take(&held, K_SECONDS(30)) == 0);
}

void controller_answer(void)
{
	k_sem_give(&released);
}
