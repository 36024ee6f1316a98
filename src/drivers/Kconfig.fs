# SPDX-License-Identifier: Apache-2.0

config WISP_FS
	bool "Grants for folders of a file system"
	default y
	depends on FILE_SYSTEM
	depends on WISP_WASI
	help
	  Programs built for WASI may use files in the folders that their
	  devicetree node has as children. The firmware mounts the file system,
	  which should be LittleFS: see doc/wasi.md.

	  Costs flash and RAM beside the file system, and RAM for each file
	  that an app with a folder may have open: `west build -t rom_report`
	  and `-t ram_report` show how much. LittleFS runs on the stack of the
	  app's thread. The tests give it 6144 bytes.

config WISP_FS_OPEN_FILES
	int "Files and directories that an app may have open"
	depends on WISP_FS
	default 4
	range 1 64
	help
	  For apps whose devicetree node has no max-open-files. The file system
	  has limits of its own for all apps together, such as
	  CONFIG_FS_LITTLEFS_NUM_FILES.
