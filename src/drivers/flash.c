/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include <zephyr/devicetree.h>
#include <zephyr/kernel.h>
#include <zephyr/linker/linker-defs.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/util.h>

#include <wisp/wisp.h>

#include "app/grants.h"
#include "border/errno.h"
#include "border/shim.h"
#include "drivers/flash_layout.h"

LOG_MODULE_DECLARE(wisp, CONFIG_WISP_LOG_LEVEL);

/* The most bytes of a write, a multiple of all write blocks that are granted, as in rust/host. */
#define PIECE 256

/* Part of a flash that the firmware uses. */
struct used {
	const struct device *flash;
	off_t offset;
	size_t size;
	const char *by;
};

#define USED(node, what)                                                                           \
	{                                                                                          \
		.flash = FIXED_PARTITION_NODE_DEVICE(node),                                        \
		.offset = FIXED_PARTITION_NODE_OFFSET(node),                                       \
		.size = FIXED_PARTITION_NODE_SIZE(node),                                           \
		.by = what,                                                                        \
	}
#define BOOT DT_NODELABEL(boot_partition)
#define CODE DT_CHOSEN(zephyr_code_partition)
#if DT_HAS_CHOSEN(zephyr_settings_partition)
#define SETTINGS DT_CHOSEN(zephyr_settings_partition)
#else
#define SETTINGS DT_NODELABEL(storage_partition)
#endif

/* The place of the image, unless it is linked into the code partition, which then says it. */
#if defined(CONFIG_SOC_FAMILY_ESPRESSIF_ESP32) && !defined(CONFIG_BOOTLOADER_MCUBOOT)
/* The loader takes it from the boot partition on, whatever is linked where. */
extern char _image_irom_start[], _image_irom_size[], _image_drom_start[], _image_drom_size[];
#define IMAGE_FLASH  FIXED_PARTITION_NODE_DEVICE(BOOT)
#define IMAGE_OFFSET FIXED_PARTITION_NODE_OFFSET(BOOT)
/* The image tool moves code and constants by up to 64 KiB each, and adds headers. */
#define IMAGE_SIZE                                                                                 \
	(MAX((size_t)_image_irom_start + (size_t)_image_irom_size,                                 \
	     (size_t)_image_drom_start + (size_t)_image_drom_size) +                               \
	 KB(3 * 64))
#elif defined(CONFIG_XIP) &&                                                                       \
	!(defined(CONFIG_USE_DT_CODE_PARTITION) && DT_HAS_CHOSEN(zephyr_code_partition))
#if DT_HAS_CHOSEN(zephyr_flash_controller)
#define IMAGE_NODE DT_CHOSEN(zephyr_flash_controller)
#elif DT_HAS_CHOSEN(zephyr_flash)
#define IMAGE_NODE                                                                                 \
	COND_CODE_1(DT_NODE_HAS_COMPAT(DT_CHOSEN(zephyr_flash), soc_nv_flash),                     \
		    (DT_PARENT(DT_CHOSEN(zephyr_flash))), (DT_CHOSEN(zephyr_flash)))
#else
#error "The devicetree does not say which flash has the image, so CONFIG_WISP_FLASH cannot \
protect it: set zephyr,flash-controller or zephyr,flash in /chosen."
#endif
/* Weak, since flash without a driver has no device. No area of it can be opened then. */
#define IMAGE_DEVICE DEVICE_DT_NAME_GET(IMAGE_NODE)
extern const struct device __weak IMAGE_DEVICE;
#define IMAGE_FLASH  (&IMAGE_DEVICE)
#ifdef CONFIG_FLASH_LOAD_OFFSET
#define IMAGE_OFFSET CONFIG_FLASH_LOAD_OFFSET
#else
#define IMAGE_OFFSET 0
#endif
/* Linker scripts of some architectures do not say how long the image is. */
#if defined(CONFIG_ARM)
#define IMAGE_SIZE ((size_t)_flash_used)
#elif defined(CONFIG_RISCV)
#define IMAGE_SIZE ((size_t)__rom_region_size)
#else
#define IMAGE_SIZE SIZE_MAX
#endif
#endif

/*
 * Rust passes only indices that a search returned. The check limits the effect of a mistake there.
 */
static const struct wisp_flash_grant *granted(const struct wisp_app *app, uint32_t flash)
{
	if (app->grants == NULL || flash >= app->grants->flash_count) {
		return NULL;
	}
	return &app->grants->flash[flash];
}

int32_t wisp_shim_area_find(const struct wisp_app *app, const uint8_t *label, size_t length)
{
	return (app->grants == NULL)
		       ? -1
		       : wisp_grant_find(app->grants->flash, app->grants->flash_count,
					 sizeof(app->grants->flash[0]), label, length);
}

static bool overlaps(const struct flash_area *area, const struct used *used)
{
	return area->fa_dev == used->flash &&
	       (area->fa_off < used->offset ? (size_t)(used->offset - area->fa_off) < area->fa_size
					    : (size_t)(area->fa_off - used->offset) < used->size);
}

/* Returns what the firmware has in some of an area, or NULL. */
static const char *user_of(const struct flash_area *area)
{
	const struct used parts[] = {
#ifdef CONFIG_WISP_STORAGE
		USED(DT_NODELABEL(wisp_storage), "the app storage"),
#endif
#ifdef IMAGE_FLASH
		{
			.flash = IMAGE_FLASH,
			.offset = IMAGE_OFFSET,
			.size = IMAGE_SIZE,
			.by = "the running firmware",
		},
#endif
#if DT_HAS_CHOSEN(zephyr_code_partition)
		USED(CODE, "the running firmware"),
#endif
#if DT_NODE_HAS_STATUS_OKAY(DT_MTD_FROM_FIXED_PARTITION(BOOT))
		USED(BOOT, "the bootloader"),
#endif
#if DT_NODE_EXISTS(SETTINGS) && (defined(CONFIG_SETTINGS_NVS) || defined(CONFIG_SETTINGS_ZMS) ||   \
				 defined(CONFIG_SETTINGS_FCB))
		USED(SETTINGS, "stored settings"),
#endif
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (overlaps(area, &parts[i])) {
			return parts[i].by;
		}
	}
	return NULL;
}

static int describe(const struct wisp_flash_grant *grant, struct wisp_flash_geometry *info)
{
	bool uneven;

	return wisp_flash_layout(grant->area, info, &uneven);
}

uint32_t wisp_shim_area_open(const struct wisp_app *app, uint32_t flash)
{
	const struct wisp_flash_grant *grant = granted(app, flash);
	struct wisp_flash_geometry info;
	const char *user;

	if (grant == NULL || !flash_area_device_is_ready(grant->area)) {
		return WISP_ENODEV;
	}
	user = user_of(grant->area);
	if (user != NULL) {
		LOG_ERR("flash area \"%s\" of %s, %zu bytes of %s from 0x%lx on, is in use by %s",
			grant->name, wisp_app_name(app), grant->area->fa_size,
			grant->area->fa_dev->name, (unsigned long)grant->area->fa_off, user);
		return WISP_EACCES;
	}
	if (describe(grant, &info) != 0 || PIECE % info.write_block != 0) {
		LOG_ERR("flash area \"%s\" of %s must begin and end with an erase block, all of "
			"one "
			"size, and its write blocks must divide %d bytes",
			grant->name, wisp_app_name(app), PIECE);
		return WISP_ENOTSUP;
	}
	return wisp_owner_take_area(grant->owner, grant->area->fa_dev, grant->range) ? 0
										     : WISP_EBUSY;
}

void wisp_shim_area_close(const struct wisp_app *app, uint32_t flash)
{
	const struct wisp_flash_grant *grant = granted(app, flash);

	if (grant != NULL) {
		wisp_owner_release(grant->owner);
	}
}

void wisp_shim_area_info(const struct wisp_app *app, uint32_t flash,
			 struct wisp_flash_geometry *info)
{
	const struct wisp_flash_grant *grant = granted(app, flash);

	if (grant != NULL) {
		(void)describe(grant, info);
	}
}

uint32_t wisp_shim_area_read(const struct wisp_app *app, uint32_t flash, uint32_t offset,
			     uint8_t *buffer, uint32_t length)
{
	const struct wisp_flash_grant *grant = granted(app, flash);

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	return wisp_driver_error(flash_area_read(grant->area, (off_t)offset, buffer, length));
}

uint32_t wisp_shim_area_write(const struct wisp_app *app, uint32_t flash, uint32_t offset,
			      const uint8_t *bytes, uint32_t length)
{
	const struct wisp_flash_grant *grant = granted(app, flash);
	/* Drivers load words, which lie anywhere in an app's memory. */
	uint32_t piece[PIECE / sizeof(uint32_t)];

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	/* Rust passes FlashInfo::PIECE at most. */
	if (length > sizeof(piece)) {
		return WISP_EINVAL;
	}
	memcpy(piece, bytes, length);
	return wisp_driver_error(flash_area_write(grant->area, (off_t)offset, piece, length));
}

uint32_t wisp_shim_area_erase(const struct wisp_app *app, uint32_t flash, uint32_t offset)
{
	const struct wisp_flash_grant *grant = granted(app, flash);
	struct wisp_flash_geometry info;
	int ret;

	if (grant == NULL) {
		return WISP_ENODEV;
	}
	ret = describe(grant, &info);
	if (ret == 0) {
		ret = flash_area_flatten(grant->area, (off_t)offset, info.erase_block);
	}
	return wisp_driver_error(ret);
}
