/* SPDX-License-Identifier: Apache-2.0 */

#include "app/fault.h"

#include <errno.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/deadline.h"
#include "app/debug.h"
#include "app/grants.h"
#include "app/heartbeat.h"
#include "app/history.h"
#include "app/kept.h"
#include "app/profile.h"
#include "app/times.h"
#include "border/shim.h"
#ifdef CONFIG_WISP_BLE
#include "drivers/ble.h"
#endif
#include "drivers/event.h"
#include "drivers/fs.h"
#ifdef CONFIG_WISP_NET
#include "drivers/net.h"
#endif
#include "drivers/sensor.h"
#include "native/native.h"
#ifdef CONFIG_WISP_STORAGE
#include "storage/storage.h"
#endif
#include "translate/translate.h"

/* Longest wait of a start for what a driver does to release something. */
#define RELEASE_TIMEOUT K_SECONDS(1)

/* Makes outputs inactive and releases pins, as rust/host does at the end of a run. */
static void release_pins(const struct wisp_app *app)
{
#ifdef CONFIG_WISP_GPIO
	for (uint32_t i = 0; i < app->grants->gpio_count; i++) {
		if ((*app->grants->gpios_open & BIT(i)) != 0) {
			(void)wisp_shim_gpio_set(app, i, false);
			(void)wisp_shim_gpio_watch(app, i, WISP_EDGES_NONE);
			(void)wisp_shim_gpio_configure(app, i, WISP_PIN_RELEASED);
		}
	}
#endif
#ifdef CONFIG_WISP_PWM
	for (uint32_t i = 0; i < app->grants->pwm_count; i++) {
		if ((app->data->pwm_active & BIT(i)) != 0) {
			(void)wisp_shim_pwm_set(app, i, 0);
		}
	}
#endif
#ifdef CONFIG_WISP_DAC
	for (uint32_t i = 0; i < app->grants->dac_count; i++) {
		if ((app->data->dac_active & BIT(i)) != 0) {
			(void)wisp_shim_dac_write(app, i, 0);
		}
	}
#endif
}

static void release_devices(const struct wisp_app *app)
{
#ifdef CONFIG_WISP_SPI
	wisp_spi_end(app);
#endif
#ifdef CONFIG_WISP_UART
	for (uint32_t i = 0; i < app->grants->uart_count; i++) {
		wisp_shim_uart_close(app, i);
	}
#endif
#ifdef CONFIG_WISP_COUNTER
	for (uint32_t i = 0; i < app->grants->counter_count; i++) {
		wisp_shim_counter_close(app, i);
	}
#endif
#ifdef CONFIG_WISP_LED
	for (uint32_t i = 0; i < app->grants->led_count; i++) {
		(void)wisp_shim_led_close(app, i);
	}
#endif
#ifdef CONFIG_WISP_STRIP
	for (uint32_t i = 0; i < app->grants->strip_count; i++) {
		(void)wisp_shim_strip_close(app, i);
	}
#endif
#ifdef CONFIG_WISP_DISPLAY
	for (uint32_t i = 0; i < app->grants->display_count; i++) {
		(void)wisp_shim_display_close(app, i);
	}
#endif
#ifdef CONFIG_WISP_EEPROM
	for (uint32_t i = 0; i < app->grants->eeprom_count; i++) {
		wisp_shim_eeprom_close(app, i);
	}
#endif
#ifdef CONFIG_WISP_FLASH
	for (uint32_t i = 0; i < app->grants->flash_count; i++) {
		wisp_shim_area_close(app, i);
	}
#endif
#ifdef CONFIG_WISP_INPUT
	for (uint32_t i = 0; i < app->grants->input_count; i++) {
		wisp_shim_input_close(app, i);
	}
#endif
#ifdef CONFIG_WISP_CAN
	for (uint32_t i = 0; i < app->grants->can_count; i++) {
		wisp_shim_can_close(app, i);
	}
#endif
#ifdef CONFIG_WISP_MSG
	for (uint32_t i = 0; i < app->grants->msg_count; i++) {
		wisp_shim_msg_close(app, i);
	}
#endif
#ifdef CONFIG_WISP_NET
	wisp_shim_net_release(app);
#endif
#ifdef CONFIG_WISP_BLE
	wisp_shim_ble_release(app);
#endif
	wisp_sensor_end(app);
	wisp_fs_end(app);
}

static void release_thread(void *p1, void *p2, void *p3)
{
	const struct wisp_app *app = p1;

	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	if (app->grants != NULL) {
		release_pins(app);
		release_devices(app);
	}
	K_SPINLOCK(&app->data->lock) {
		app->data->releasing = false;
	}
}

/*
 * Makes what the thread may have polled as new. Zephyr leaves the poll events of an aborted thread
 * in its lists, and they lie on the stack that the thread is about to use again.
 */
static void forget_waits(const struct wisp_app *app)
{
	(void)k_sem_init(&app->data->stop, 0, 1);
#ifdef CONFIG_WISP_EVENT
	if (app->grants != NULL && app->grants->events != NULL) {
		k_poll_signal_init(&app->grants->events->arrived);
	}
#endif
#ifdef CONFIG_WISP_UART
	for (uint32_t i = 0; app->grants != NULL && i < app->grants->uart_count; i++) {
		k_poll_signal_init(&app->grants->uart[i].port->changed);
	}
#endif
#ifdef CONFIG_WISP_INPUT
	for (uint32_t i = 0; app->grants != NULL && i < app->grants->input_count; i++) {
		k_poll_signal_init(&app->grants->input[i].input->changed);
	}
#endif
#ifdef CONFIG_WISP_CAN
	for (uint32_t i = 0; app->grants != NULL && i < app->grants->can_count; i++) {
		k_poll_signal_init(&app->grants->can[i].can->changed);
	}
#endif
#ifdef CONFIG_WISP_NET
	if (app->grants != NULL) {
		wisp_net_forget_waits(app->grants->net);
	}
#endif
#ifdef CONFIG_WISP_BLE
	if (app->grants != NULL && app->grants->ble != NULL) {
		k_poll_signal_init(&app->grants->ble->changed);
	}
#endif
}

/* Returns true, once for each fault, if the app's thread ended without reporting its outcome. */
static bool has_faulted(const struct wisp_app *app, struct wisp_app_status *status)
{
	struct wisp_app_data *data = app->data;
	bool faulted = false;

	K_SPINLOCK(&data->lock) {
		if (data->status.state == WISP_APP_RUNNING && data->created &&
		    k_thread_join(&data->thread, K_NO_WAIT) == 0) {
			wisp_native_forget(app);
			data->stop_flag = NULL;
			data->status.state = WISP_APP_FAILED;
			data->status.error = -EFAULT;
			/* Nobody else may use the thread until it has released what is open. */
			data->releasing = true;
			faulted = true;
		}
		*status = data->status;
	}
	return faulted;
}

void wisp_fault_detect(const struct wisp_app *app)
{
	struct wisp_app_data *data = app->data;
	struct wisp_app_status status;

	if (!has_faulted(app, &status)) {
		return;
	}
	forget_waits(app);
	wisp_heartbeat_end(app);
	wisp_deadline_end(app);
	wisp_translate_end(app);
	wisp_fs_fault(app);
	wisp_history_add(app, &status);
	wisp_debug_end(app, &status);
	wisp_record_ended(app);
	wisp_core_ended(app);
	wisp_times_end(app);
	wisp_profile_ended(app);
	k_thread_create(&data->thread, app->stack, app->stack_size, release_thread, (void *)app,
			NULL, NULL, app->priority, 0, K_NO_WAIT);
	(void)k_thread_name_set(&data->thread, app->name);
#ifdef CONFIG_WISP_STORAGE
	wisp_supervisor_ended(app);
#endif
}

void wisp_fault_detect_others(const struct wisp_app *waiting)
{
	STRUCT_SECTION_FOREACH(wisp_app, app) {
		if (app != waiting) {
			wisp_fault_detect(app);
		}
	}
}

bool wisp_fault_is_released(const struct wisp_app *app)
{
	const volatile bool *releasing = &app->data->releasing;

	if (*releasing) {
		(void)k_thread_join(&app->data->thread, RELEASE_TIMEOUT);
	}
	/* If the thread faulted once more, it has ended without a release. */
	return !*releasing;
}
