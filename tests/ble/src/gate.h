/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_BLE_GATE_H_
#define TESTS_BLE_GATE_H_

/* Waits until a guest is at the gate, and lets it go on. */
void wait_at_gate(void);
void open_gate(void);

#endif /* TESTS_BLE_GATE_H_ */
