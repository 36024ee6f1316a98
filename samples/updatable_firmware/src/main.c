/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A firmware without apps, which MCUboot starts. Apps are installed into the app storage, and a
 * new firmware into MCUboot's second slot, by the same SMP client.
 */

#include <zephyr/dfu/mcuboot.h>
#include <zephyr/logging/log.h>
#include <zephyr/storage/flash_map.h>

LOG_MODULE_REGISTER(main);

int main(void)
{
	struct mcuboot_img_header header;
	int err = boot_read_bank_header(FIXED_PARTITION_ID(slot0_partition), &header,
					sizeof(header));

	if (err) {
		LOG_ERR("the firmware has no MCUboot header: %d", err);
		return 0;
	}
	LOG_INF("firmware %u.%u.%u%s", header.h.v1.sem_ver.major, header.h.v1.sem_ver.minor,
		header.h.v1.sem_ver.revision, boot_is_img_confirmed() ? "" : ", on trial");
	return 0;
}
