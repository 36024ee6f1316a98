/* SPDX-License-Identifier: Apache-2.0 */

#include <time.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/net/tls_credentials.h>
#include <zephyr/sys/clock.h>

#include <wisp/wisp.h>

LOG_MODULE_REGISTER(main);

/* The tag of the credential, as the entries of the apps have it. */
#define BROKER 1

#ifdef HAS_BROKER_CA
/* A text in PEM ends with NUL, which the file does not have. */
static const char broker_ca[] = {
#include <broker_ca.inc>
	0};
#endif

static void run(const struct wisp_app *app, const char *image)
{
	int ret = wisp_app_load_embedded(app, image);

	if (ret == 0) {
		ret = wisp_app_start(app);
	}
	if (ret != 0) {
		LOG_ERR("%s cannot be started: %d", image, ret);
	}
}

int main(void)
{
	const struct timespec now = {.tv_sec = BUILD_TIME};

	(void)sys_clock_settime(SYS_CLOCK_REALTIME, &now);
#ifdef HAS_BROKER_CA
	if (tls_credential_add(BROKER, TLS_CREDENTIAL_CA_CERTIFICATE, broker_ca,
			       sizeof(broker_ca)) != 0) {
		LOG_ERR("the credential cannot be added");
	}
#else
	LOG_WRN("built without a certificate: no app can connect by TLS");
#endif
	run(WISP_APP_DT_GET(DT_PATH(wisp_apps, sensor)), "sensor");
	run(WISP_APP_DT_GET(DT_PATH(wisp_apps, station)), "station");
	run(WISP_APP_DT_GET(DT_PATH(wisp_apps, thermostat)), "thermostat");
	run(WISP_APP_DT_GET(DT_PATH(wisp_apps, lamp)), "lamp");
	run(WISP_APP_DT_GET(DT_PATH(wisp_apps, rules)), "rules");
	return 0;
}
