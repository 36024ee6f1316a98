#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds a sample for many boards of Zephyr and writes doc/boards.md.

  boards_report.py                    every board of bench/boards.txt, then the page
  boards_report.py --board TARGET     only these boards; the rows of the others stay
  boards_report.py --missing          only boards that bench/boards.json has no row of
  boards_report.py --module FOLDER    a module that the workspace does not have, as a HAL
  boards_report.py --render           the page from the stored rows, without a build
  boards_report.py --overlay TARGET   prints an overlay that grants the LED of any board to samples/blinky

A board with an LED gets samples/blinky. The app's pin is then the one of the board's alias led0, unless the
sample has an overlay for the board. A board without an LED gets samples/hello.
"""

import argparse
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import devenv

LIST = devenv.REPO / "bench" / "boards.txt"
RESULTS = devenv.REPO / "bench" / "boards.json"
TEMPLATE = devenv.REPO / "bench" / "boards.md.in"
PAGE = devenv.REPO / "doc" / "boards.md"
OUT = devenv.BUILD / "boards"
# Seconds that a configuration or a build may take.
PATIENCE = 1800
# What linkers call the memories that hold a firmware's code and its data.
FLASH = ("FLASH", "ROM", "rom", "flash", "CODE", "ROMABLE")
RAM = ("RAM", "SRAM", "sram0_0_seg", "DRAM", "dram0_0_seg")
BUILT, REFUSED, FAILED, ABSENT = "built", "refused", "failed", "HAL not present"


@dataclass
class Entry:
    """A line of the list."""

    board: str
    module: str
    options: list = field(default_factory=list)


def entries():
    """The boards of the list, in its order; fails on a line that is neither a group nor a board."""
    found, module, options = [], None, []
    for number, line in enumerate(LIST.read_text(encoding="utf-8").splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        group = re.fullmatch(r"\[([\w-]+)\]\s*(.*)", line)
        if group:
            module, options = group.group(1), group.group(2).split()
        elif line and (module is None or not re.fullmatch(r"\w+(@\w+)?(/\w+)*", line)):
            sys.exit(f"{LIST}:{number}: `{line}` is no board; expected [module] or a target such as rpi_pico/rp2040")
        elif line:
            found.append(Entry(line, module, options))
    return found


def modules(env, extra):
    """Folders of the Zephyr modules that can be had, by name."""
    zephyr = devenv.find_zephyr()
    OUT.mkdir(parents=True, exist_ok=True)
    text = OUT / "modules.txt"
    # The one with the packages that Zephyr's scripts need.
    own = devenv.VENV / "bin" / "python"
    python = own if own.exists() else sys.executable
    command = [python, zephyr / "scripts" / "zephyr_module.py", "--zephyr-base", zephyr, "--cmake-out", text]
    if extra:
        command += ["--extra-modules", *extra]
    subprocess.run(command, env=env, cwd=zephyr, check=True, timeout=PATIENCE)
    return dict(re.findall(r'^"([^"]+)":"([^"]+)"', text.read_text(encoding="utf-8"), re.MULTILINE))


def run(command, env):
    """Runs a command; (exit code, all that it printed)."""
    done = subprocess.run([str(part) for part in command], env=env, cwd=devenv.find_zephyr(), check=False, text=True,
                          errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE)
    return done.returncode, done.stdout


def devicetree(folder):
    """The devicetree of a configured board, or None. Its classes are those of Zephyr's scripts."""
    path = folder / "zephyr" / "edt.pickle"
    if not path.is_file():
        return None
    library = str(devenv.find_zephyr() / "scripts" / "dts" / "python-devicetree" / "src")
    if library not in sys.path:
        sys.path.insert(0, library)
    return pickle.loads(path.read_bytes())


def node_named(tree, alias):
    """The node of an alias, or None."""
    return next((node for node in tree.nodes if alias in node.aliases), None)


def overlay(tree):
    """Text that grants the pin of the alias led0 to the app `blinky`; None if the board has no such pin."""
    led = node_named(tree, "led0")
    if led is None or "gpios" not in led.props:
        return None
    pin = led.props["gpios"].val[0]
    reference = pin.controller.labels[0] if pin.controller.labels else "{" + pin.controller.path + "}"
    cells = " ".join(str(value) for value in pin.data.values())
    return ("/* SPDX-License-Identifier: Apache-2.0 */\n\n/ {\n\twisp-apps {\n\t\tcompatible = \"wisp,apps\";\n\n\t\tblinky {\n\t\t\tmemory-size = <4096>;\n"
            f"\t\t\tgpios = <&{reference} {cells}>;\n\t\t\tgpio-names = \"led\";\n\t\t}};\n\t}};\n}};\n")


def has_app(tree):
    """True if an overlay of the sample names the app's pin."""
    return any(node.path == "/wisp-apps/blinky" for node in tree.nodes)


def config(folder):
    """The values that Kconfig wrote for a build, without quotes."""
    path = folder / "zephyr" / ".config"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return {name: value.strip('"') for name, value in re.findall(r"^CONFIG_(\w+)=(.*)$", text, re.MULTILINE)}


def in_one_line(text):
    """Text without line breaks and repeated spaces."""
    return " ".join(text.split())


def refusal(text):
    """(who, the words) with which Wisp's CMake or Kconfig refused a board, or None if neither did."""
    match = re.search(r"CMake Error.*?:\n\s+(?:wisp_add_app\(\)|Wisp): (.*?)\n(?:\s*\n|Call Stack)", text, re.DOTALL)
    # What this machine lacks is no property of the board.
    if match and not match.group(1).startswith("no Rust compiler here"):
        return "CMake", in_one_line(match.group(1))
    match = re.search(r"warning: (WISP \(.*?\)\.) See\s", text, re.DOTALL)
    if match and not re.search(r"CMake Error.*?\n\s+Wisp: ", text):
        return "Kconfig", re.sub(r" \(defined at \S+\)", "", in_one_line(match.group(1)))
    return None


def failure(text):
    """The first error of a build, in one line."""
    overflow = re.search(r"region `?(\S+?)'? overflowed by (\d+) bytes", text)
    if overflow:
        return f"the image is {int(overflow.group(2)):,} bytes too large for {overflow.group(1)}"
    unknown = re.search(r"unrecognized -mcpu target: (\S+)", text)
    if unknown:
        return f"the compiler that was used is older than the core {unknown.group(1)}"
    for pattern in (r"CMake Error[^\n]*:\n\s*(.*?)\n\s*(?:Call Stack|\n)", r"^(?:.*?: )?(?:fatal )?error: (.*)$",
                    r"^error: (.*)$", r"^FAILED: (.*)$", r"^(.*undefined reference.*)$"):
        match = re.search(pattern, text, re.DOTALL if "Stack" in pattern else re.MULTILINE)
        if match:
            return in_one_line(match.group(1))[:300].replace(str(devenv.REPO) + "/", "")
    return "no error message was found; see the log"


def memory(text, names):
    """(bytes used, size in bytes) of the first memory region that has one of the names, as the linker printed it."""
    units = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
    for name in names:
        match = re.search(rf"^\s*{name}:\s+(\d+) (\w+)\s+(\d+) (\w+)\s+\S+%", text, re.MULTILINE)
        if match:
            used, size = (int(match.group(i)) * units[match.group(i + 1)] for i in (1, 3))
            return used, size
    return None, None


def sections(elf, env):
    """(bytes of code and initial values, bytes of data) of an executable, from its section headers."""
    code, text = run([devenv.find_tool("size", "llvm-size-19"), elf], env)
    match = re.search(r"^\s*(\d+)\s+(\d+)\s+(\d+)\s+\d+\s+[0-9a-f]+", text, re.MULTILINE)
    if code != 0 or not match:
        return None, None
    code_size, data, zeroed = (int(number) for number in match.groups())
    return code_size + data, data + zeroed


class Report:
    """Builds boards and keeps what became of them."""

    def __init__(self, extra, jobs, keep):
        self.env = devenv.environment()
        if self.env is None:
            sys.exit("boards-report: no Zephyr workspace was found; run `make setup`")
        self.version = ".".join(str(number) for number in devenv.zephyr_version(devenv.find_zephyr()))
        self.extra = [str(Path(path).resolve()) for path in extra]
        self.modules = modules(self.env, self.extra)
        self.jobs, self.keep = jobs, keep

    def cmake(self, entry, sample, folder, options):
        """Arguments that the two configurations of a board share."""
        return ["cmake", f"-DBOARD={entry.board}", f"-DEXTRA_ZEPHYR_MODULES={';'.join([str(devenv.REPO), *self.extra])}",
                f"-B{folder}", f"-S{devenv.REPO / 'samples' / sample}", *entry.options, *options]

    def tree(self, entry, sample, folder):
        """The board's devicetree with the overlays of a sample, or None, and what CMake printed."""
        helper = devenv.find_zephyr() / "cmake" / "package_helper.cmake"
        shutil.rmtree(folder, ignore_errors=True)
        _, text = run([*self.cmake(entry, sample, folder, ["-DMODULES=dts"]), "-P", helper], self.env)
        return devicetree(folder), text

    def sample(self, entry, folder):
        """The sample for a board, and the arguments that name its pin."""
        tree, _ = self.tree(entry, "blinky", folder)
        if tree is None:
            return "hello", []
        if has_app(tree):
            return "blinky", []
        text = overlay(tree)
        if text is None:
            return "hello", []
        path = OUT / "led.overlay"
        path.write_text(text, encoding="utf-8")
        return "blinky", [f"-DEXTRA_DTC_OVERLAY_FILE={path}"]

    def show_overlay(self, board):
        """Prints an overlay for the LED of a board."""
        tree, said = self.tree(Entry(board, "-"), "hello", OUT / "devicetree")
        if tree is None:
            sys.exit(f"boards-report: Zephyr cannot make the devicetree of {board}: {failure(said)}")
        text = overlay(tree)
        if text is None:
            sys.exit(f"boards-report: {board} has no alias led0 with a pin; name a pin of the board in an overlay like those "
                     "in samples/blinky/boards")
        print(text, end="")

    def build(self, entry):
        """Builds a sample for a board; its row."""
        row = {"hal": entry.module, "zephyr": self.version}
        if entry.module not in ("-", *self.modules):
            return {**row, "result": ABSENT}
        folder, first = OUT / "build", OUT / "devicetree"
        shutil.rmtree(folder, ignore_errors=True)
        name, options = self.sample(entry, first)
        row["sample"] = name
        code, text = run(self.cmake(entry, name, folder, ["-GNinja", *options]), self.env)
        # The guest is compiled first, by the same function of CMake.
        rust = re.search(r"Wisp: (?!wasm32)(\S+) with rustc", text) or re.search(r"can build for\s+(?!wasm32)(\S+)\.", text)
        values = config(folder)
        row["soc"] = values.get("SOC", "")
        row["target"] = values.get("BOARD_TARGET", "") or entry.board
        row["core"] = core(values)
        row["rust"] = rust.group(1) if rust else ""
        if code == 0:
            code, built = run(["ninja", "-C", folder, f"-j{self.jobs}"], self.env)
            text += built
        log = OUT / "logs" / (entry.board.replace("/", "_") + ".log")
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(text, encoding="utf-8")
        row.update(self.outcome(code, text, folder))
        if not self.keep:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(first, ignore_errors=True)
        return row

    def outcome(self, code, text, folder):
        """Result, and sizes or words, of a build that ended."""
        if code != 0:
            # Some copies of a HAL have no large files: that says nothing about the board.
            lacking = re.search(r"^(\S+?):\d+:\d+: fatal error: (\S+): No such file", text, re.MULTILINE)
            if lacking and any(Path(lacking.group(1)).is_relative_to(path) for path in self.modules.values()):
                return {"result": ABSENT, "words": f"the copy of the HAL has no file {lacking.group(2)}"}
            words = refusal(text)
            if words:
                return {"result": REFUSED, "by": words[0], "words": words[1]}
            return {"result": FAILED, "words": failure(text)}
        flash, flash_size = memory(text, FLASH)
        ram, ram_size = memory(text, RAM)
        if ram is None:
            elf = next(path for name in ("zephyr.elf", "zephyr.exe") if (path := folder / "zephyr" / name).exists())
            flash, ram = sections(elf, self.env)
        return {"result": BUILT, "flash": flash, "flash_size": flash_size, "ram": ram, "ram_size": ram_size}


def core(values):
    """The core that Kconfig chose, in words."""
    cores = [name[len("CPU_CORTEX_"):] for name in values if re.fullmatch(r"CPU_CORTEX_[AMR]\d+\w*", name)]
    if cores:
        return "Cortex-" + max(cores, key=len).replace("PLUS", "+")
    bits = 64 if "64BIT" in values else 32
    names = {"arc": "ARC", "mips": "MIPS", "posix": f"{bits} bits of the workstation", "rx": "RX", "sparc": "SPARC",
             "riscv": "RV32E" if "RISCV_ISA_RV32E" in values else f"RV{bits}", "x86": f"x86, {bits} bits",
             "xtensa": "Xtensa"}
    architecture = values.get("ARCH", "")
    return names.get(architecture, architecture)


def stored():
    """The rows that were kept, by board."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}


def keep(rows):
    """Writes the rows, a line each, in the order of the list; rows of boards that left the list go."""
    lines = [f'"{entry.board}": {json.dumps(rows[entry.board], sort_keys=True)}' for entry in entries()
             if entry.board in rows]
    RESULTS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def amount(used, size):
    """A cell: bytes used, and of how many."""
    # a firmware that runs from RAM fills nothing of the flash
    if not used:
        return ""
    return f"{used:,} of {size:,}" if size else f"{used:,}"


def render():
    """Writes the page from the stored rows."""
    rows = stored()
    cells, words = [], {}
    for entry in entries():
        row = rows.get(entry.board)
        if row is None:
            continue
        result = row["result"]
        if row.get("words"):
            # Boards that were refused in the same words share a note.
            note = re.sub(rf"\b{re.escape(row.get('target', entry.board))}\b(?!/)", "BOARD", row["words"]).replace("|", "\\|")
            number = words.setdefault((result, row.get("by", ""), note), len(words) + 1)
            result += f" ({number})"
        cells.append((entry.module, [entry.board, *(row.get(key, "") for key in ("soc", "core", "rust", "sample")),
                                     amount(row.get("flash"), row.get("flash_size")),
                                     amount(row.get("ram"), row.get("ram_size")), result]))
    head = ("| board | SoC | core | Rust target | sample | flash, bytes | RAM, bytes | result |\n"
            "|---|---|---|---|---|--:|--:|---|\n")
    results = [row["result"] for row in rows.values()]
    counts = ", ".join(f"{results.count(kind)} {kind}" for kind in (BUILT, REFUSED, FAILED, ABSENT) if kind in results)
    groups = []
    for module in dict.fromkeys(module for module, _ in cells):
        title = "Without a HAL" if module == "-" else module
        groups.append(f"## {title}\n\n{head}" + "\n".join(
            f"| {' | '.join(texts)} |" for name, texts in cells if name == module))
    notes = "| note | result | words |\n|--:|---|---|\n" + "\n".join(
        f"| {number} | {result}{' by ' + by if by else ''} | {text} |" for (result, by, text), number in words.items())
    page = TEMPLATE.read_text(encoding="utf-8")
    rest = len(list(entries())) - len(cells)
    more = f" {rest} more boards of `bench/boards.txt` were not built." if rest else ""
    for name, text in (("COUNT", str(len(results))), ("REST", more), ("COUNTS", counts), ("TABLES", "\n\n".join(groups)),
                       ("NOTES", notes),
                       ("ZEPHYR", ", ".join(sorted({row["zephyr"] for row in rows.values()})))):
        page = page.replace(f"@{name}@", text)
    PAGE.write_text(page, encoding="utf-8")
    print(f"boards-report: {len(results)} boards: {counts}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--board", action="append", default=[], metavar="TARGET", help="a target of the list; may be repeated")
    parser.add_argument("--missing", action="store_true", help="only boards without a stored row")
    parser.add_argument("--module", action="append", default=[], help="folder of a further Zephyr module")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="compilers at once")
    parser.add_argument("--keep", action="store_true", help="keep the last board's build folder")
    parser.add_argument("--render", action="store_true", help="only write the page")
    parser.add_argument("--overlay", metavar="TARGET", help="print an overlay for the LED of a board")
    options = parser.parse_args()
    if options.overlay:
        Report(options.module, options.jobs, options.keep).show_overlay(options.overlay)
        return
    if not options.render:
        chosen = entries()
        unknown = set(options.board) - {entry.board for entry in chosen}
        if unknown:
            sys.exit(f"boards-report: {LIST.name} does not list {', '.join(sorted(unknown))}; add a line for each")
        report = Report(options.module, options.jobs, options.keep)
        rows = stored()
        for entry in chosen:
            if (options.board and entry.board not in options.board) or (options.missing and entry.board in rows):
                continue
            row = report.build(entry)
            # Another run may have added rows meanwhile.
            rows = {**stored(), entry.board: row}
            keep(rows)
            print(f"{entry.board}: {row['result']} {row.get('words', '')} {row.get('rust', '')} "
                  f"{amount(row.get('flash'), row.get('flash_size'))} / {amount(row.get('ram'), row.get('ram_size'))}",
                  flush=True)
    render()


if __name__ == "__main__":
    main()
