/* SPDX-License-Identifier: Apache-2.0 */

/* A controller of Bluetooth LE without a radio: it remembers what it is told. */

#ifndef TESTS_BLE_CONTROLLER_H_
#define TESTS_BLE_CONTROLLER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The operation of ATT by which the host tells a client of a value. */
#define ATT_NOTIFICATION 0x1b

struct controller {
	/* What the host has set, as it has set it. */
	bool advertises;
	bool scans;
	uint8_t advertising_type;
	uint16_t interval;
	uint8_t data_length;
	uint8_t data[31];
	uint8_t response_length;
	uint8_t response[31];
	uint8_t scan_type;
	uint16_t scan_interval;
	uint16_t scan_window;
	/* How often advertising was switched on, and parameters for scanning were set. */
	uint32_t starts;
	uint32_t scan_starts;
	/* A command with this number fails once. */
	uint16_t failing;
	/* A command with this number is not answered before controller_answer(). */
	uint16_t held;
};

extern struct controller controller;

/* Sends an advertisement to the host, which is lost if the host does not scan. */
void controller_hear(uint8_t type, uint64_t address, int8_t rssi, const void *data, size_t length);

/* Connects a client to the host, if it advertises so. */
void controller_connect(uint64_t address);
/* Disconnects the client, if it is connected. */
void controller_disconnect(void);
/* True while the client is connected. */
bool controller_is_connected(void);

/*
 * Sends a request of ATT to the host, and waits for its answer. Returns the bytes of the answer,
 * which are at most 23.
 */
size_t controller_request(const void *request, size_t length, uint8_t answer[23]);
/* Waits for what the host sends by itself. */
size_t controller_wait_for_notification(uint8_t notification[23]);

/* Waits until the command that is held has come, and lets the controller answer it. */
void controller_wait_for_held(void);
void controller_answer(void);

#endif /* TESTS_BLE_CONTROLLER_H_ */
