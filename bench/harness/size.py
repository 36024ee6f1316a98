# SPDX-License-Identifier: Apache-2.0
"""What configurations take, in flash and RAM, by part: from the linker's map."""

import re
import shutil

from . import boards, images
from .measure import SIZE_SOURCES, revision
from .tools import OUTPUT, REPO, build_folder, read_toml, run, zephyr_environment

APP = REPO / "bench" / "size"
BOARDS = ("m3", "m0plus", "rv32")

# Parts in the order in which the table has them: (title, pattern over "archive section").
# Rust's mangled names carry the crate's and the module's name after its length.
PARTS = (
    ("interpreter core", r"wisp_thumb|wisp_riscv|11wisp_engine4exec11interpreter"),
    ("engine: load, link, memory", r"11wisp_engine"),
    ("image reader, verifier", r"10wisp_image"),
    ("host functions", r"9wisp_host|8wisp_abi"),
    ("Zephyr port", r"9wisp_port|libwisp\.a|wisp_staticlib"),
    ("soft floats, integer helpers", r"compiler_builtins|libgcc\.a"),
    ("Rust core, constants", r"libwisp_rust\.a|libwisp_bench\.a"),
)
OTHER = "C library and kernel functions"
LINE = re.compile(r"^ (\.?\S+)(?:\s*\n)?\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)$", re.MULTILINE)


def sections(map_file):
    """(archive and section names, address, size) of every input section in the image."""
    text = map_file.read_text(encoding="utf-8", errors="replace")
    text = text[text.index("Linker script and memory map"):]
    end = text.find("\n.debug_")
    if end > 0:
        text = text[:end]
    for name, address, size, where in LINE.findall(text):
        if int(size, 16) and not name.startswith((".debug", ".comment", ".ARM.attributes")):
            yield f"{where.rsplit('/', 1)[-1]} {name}", int(address, 16), int(size, 16), name


def by_part(elf):
    """{part: [flash, RAM]} of an image."""
    parts = {title: [0, 0] for title, _ in PARTS}
    parts[OTHER] = [0, 0]
    for text, _, size, name in sections(elf.with_suffix(".map")):
        title = next((title for title, pattern in PARTS if re.search(pattern, text)), OTHER)
        initialised = name.startswith((".data", ".sdata"))
        zeroed = name.startswith((".bss", ".noinit", ".sbss", "COMMON"))
        if not zeroed:
            parts[title][0] += size
        if zeroed or initialised:
            parts[title][1] += size
    return parts


def build(board, name, kconfig, with_wisp):
    """Builds one configuration. Returns the ELF file's path."""
    folder = build_folder("size", board.short) / (name if with_wisp else f"{name}-without")
    options = [f"-DBOARD={board.name}", f"-DBOARD_ROOT={REPO}", f"-DEXTRA_ZEPHYR_MODULES={REPO}"]
    options.append(f"-DCONFIG_WISP={'y' if with_wisp else 'n'}")
    options += [f"-DCONFIG_{setting}" for setting in kconfig
                if with_wisp or not setting.startswith("WISP_")]
    env = zephyr_environment()
    stamp = folder / "size-options.txt"
    wanted = "\n".join(options)
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        run(["cmake", "-GNinja", "-S", APP, "-B", folder, *options], env=env,
            log=OUTPUT / f"size-{board.short}-{name}-cmake.log")
        stamp.write_text(wanted, encoding="utf-8")
    run(["ninja", "-j2", "-C", folder], env=env, log=OUTPUT / f"size-{board.short}-{name}.log")
    return folder / "zephyr" / "zephyr.elf"


def measure(store, chosen, names=None):
    """Builds the configurations for some boards and stores what they take."""
    for board in chosen:
        for name, configuration in read_toml(APP / "configurations.toml").items():
            if names and name not in names:
                continue
            kconfig = configuration["kconfig"]
            elf = build(board, name, kconfig, True)
            base = build(board, name, kconfig, False)
            flash, ram = images.flash_and_ram(elf)
            base_flash, base_ram = images.flash_and_ram(base)
            parts, base_parts = by_part(elf), by_part(base)
            store.add_size(board, name, {
                "title": configuration["title"], "revision": revision(SIZE_SOURCES),
                "flash": flash - base_flash, "ram": ram - base_ram,
                "parts": {part: [parts[part][0] - base_parts[part][0],
                                 parts[part][1] - base_parts[part][1]] for part in parts},
            })
            store.save()


def entries(store):
    """(board, configuration, what it takes) of those that were measured, in the order of boards and file."""
    for board in boards.BOARDS.values():
        for name in read_toml(APP / "configurations.toml"):
            entry = store.sizes.get(f"{board.short} {name}")
            if entry:
                yield board, name, entry


def in_order(parts):
    """(part, [flash, RAM]) in the order of PARTS; the file has them sorted by name."""
    return [(title, parts[title]) for title in (*(title for title, _ in PARTS), OTHER) if title in parts]


def text(store):
    """The sizes as plain text, a configuration a block."""
    lines = []
    for board, name, entry in entries(store):
        lines.append(f"{board.name}, {name} ({entry['title']})")
        lines.append(f"  {'adds':34}{entry['flash']:8,} B flash {entry['ram']:8,} B RAM")
        for part, (flash, ram) in in_order(entry["parts"]):
            if flash or ram:
                lines.append(f"    {part:32}{flash:8,} {'':7}{ram:8,}")
    return "\n".join(lines)


def table(store):
    """The sizes as a markdown table."""
    if not store.sizes:
        return "Not measured: `make size`."
    lines = ["| board | configuration | flash added, bytes | RAM added, bytes |", "|---|---|--:|--:|"]
    for board, name, entry in entries(store):
        lines.append(f"| {board.title} | {name}: {entry['title']} | {entry['flash']:,} | {entry['ram']:,} |")
    biggest = store.sizes.get("m3 gpio")
    if biggest:
        lines += ["", (f"By part, {boards.find('m3').title}, gpio "
                      "(RAM is the app's arena and stack, sized by Kconfig):"), "",
                  "| part | flash | RAM |", "|---|--:|--:|"]
        lines += [f"| {part} | {flash:,} | {ram:,} |"
                  for part, (flash, ram) in in_order(biggest["parts"]) if flash or ram]
    return "\n".join(lines)
