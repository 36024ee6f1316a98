/* SPDX-License-Identifier: Apache-2.0 */
/* littlefs in 8 KiB of RAM: files written, read, renamed and removed. */
#include <string.h>

#include "corpus.h"
#include "lfs.h"

#define BLOCK 256
#define BLOCKS 32

static uint8_t disk[BLOCK * BLOCKS];
static uint64_t read_buffer[8], prog_buffer[8], lookahead[2], file_buffer[8];

static int disk_read(const struct lfs_config *config, lfs_block_t block, lfs_off_t offset,
		     void *to, lfs_size_t size)
{
	(void)config;
	memcpy(to, disk + block * BLOCK + offset, size);
	return 0;
}

static int disk_prog(const struct lfs_config *config, lfs_block_t block, lfs_off_t offset,
		     const void *from, lfs_size_t size)
{
	(void)config;
	memcpy(disk + block * BLOCK + offset, from, size);
	return 0;
}

static int disk_erase(const struct lfs_config *config, lfs_block_t block)
{
	(void)config;
	memset(disk + block * BLOCK, 0xff, BLOCK);
	return 0;
}

static int disk_sync(const struct lfs_config *config)
{
	(void)config;
	return 0;
}

static const struct lfs_config config = {
	.read = disk_read, .prog = disk_prog, .erase = disk_erase, .sync = disk_sync,
	.read_size = 16, .prog_size = 16, .block_size = BLOCK, .block_count = BLOCKS,
	.block_cycles = 500, .cache_size = 64, .lookahead_size = 16,
	.read_buffer = read_buffer, .prog_buffer = prog_buffer, .lookahead_buffer = lookahead,
};
static const struct lfs_file_config file_config = {.buffer = file_buffer};

ENTRY
{
	uint32_t sum = 0, round;
	static uint8_t text[400], back[400];

	for (round = 0; round < n; round++) {
		lfs_t lfs;
		lfs_file_t file;
		char name[] = "log0";

		write_log(text, sizeof(text));
		text[0] = (uint8_t)round;
		CHECK(lfs_format(&lfs, &config) == 0);
		CHECK(lfs_mount(&lfs, &config) == 0);
		for (name[3] = '0'; name[3] < '3'; name[3]++) {
			CHECK(lfs_file_opencfg(&lfs, &file, name, LFS_O_RDWR | LFS_O_CREAT,
					       &file_config) == 0);
			CHECK(lfs_file_write(&lfs, &file, text, sizeof(text)) == sizeof(text));
			CHECK(lfs_file_close(&lfs, &file) == 0);
		}
		CHECK(lfs_rename(&lfs, "log1", "old") == 0);
		CHECK(lfs_remove(&lfs, "log0") == 0);
		CHECK(lfs_file_opencfg(&lfs, &file, "old", LFS_O_RDONLY, &file_config) == 0);
		CHECK(lfs_file_read(&lfs, &file, back, sizeof(back)) == sizeof(back));
		CHECK(lfs_file_close(&lfs, &file) == 0);
		CHECK(memcmp(text, back, sizeof(text)) == 0);
		CHECK(lfs_unmount(&lfs) == 0);
		sum = mix(sum, disk, sizeof(disk) / 4);
	}
	return sum;
}
