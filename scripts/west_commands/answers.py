# SPDX-License-Identifier: Apache-2.0
"""Shows what devices answer, as text and for JSON."""

import sys


def version_text(version):
    """A version as it is written."""
    return f"{version & 0xff}.{version >> 8 & 0xff}.{version >> 16}"


def show(app):
    """Prints an app of the device."""
    running = version_text(app.running["ver"]) if app.running else "-"
    print(f"{app.name:16} {running:10} {app.state}" + (", disabled" if app.disabled else ""))
    if app.candidate:
        print(f"{'':16} {version_text(app.candidate['ver']):10} update on trial, "
              f"started {app.starts} times")


def show_usage(usage):
    """Prints what an app used."""
    print(f"runs that ended: {usage.runs}, failed: {usage.failures}")
    print(f"most used: native stack {usage.stack} of {usage.stack_size} bytes, arena {usage.arena} of "
          f"{usage.arena_size}, linear memory {usage.memory} of {usage.memory_size}; fuel of a run: {usage.fuel}")
    print(f"events: {usage.events} of {usage.events_size} waited at most, {usage.events_lost} lost; "
          f"messages lost: {usage.messages_lost}")
    if usage.kv_written is not None:
        print(f"stored: {usage.kv_written} bytes written, {usage.kv_refused} values refused; "
              f"lines of the log dropped: {usage.lines_dropped}")
    if usage.files_used is not None:
        print(f"files: {usage.files_used} bytes, {usage.files_refused} changes refused")
    if usage.functions is not None:
        print(f"functions with translated code: {usage.translated} of {usage.functions}")


def show_times(times):
    """Prints the share of the processor that each app has."""
    for name, found in times.items():
        if found is None:
            print("processor time of apps: not measured; build the firmware with CONFIG_WISP_TIMES=y")
            return
        run = max(found.run, 1)
        host = "" if found.host is None else f", {100 * found.host / run:.1f} % in host functions"
        print(f"{name:16} {100 * found.cpu / run:.1f} % of the processor in {found.run / 1e6:.3f} s{host}, "
              f"{found.wakeups} wakeups")


def times_fields(name, found):
    """Times of an app, for JSON."""
    return {"name": name, **({"run_us": found.run, "cpu_us": found.cpu, "host_us": found.host, "wakeups": found.wakeups}
                             if found else {"run_us": None, "cpu_us": None, "host_us": None, "wakeups": None})}


def show_failures(failures):
    """Prints runs that failed, the last one first, as `wisp symbolize` reads them."""
    for failure in failures:
        print(f"{failure.uptime / 1000:10.3f} s  {failure.name}: {failure.what}")


def image_fields(image):
    """An image of an app, for JSON."""
    return image and {"version": version_text(image["ver"]), "bytes": image["len"], "rollback": image["rb"]}


def app_fields(app):
    """An app, for JSON."""
    return {"name": app.name, "state": app.state, "disabled": app.disabled, "starts": app.starts,
            "crashes": app.crashes, "running": image_fields(app.running), "candidate": image_fields(app.candidate)}


def usage_fields(usage, names):
    """What an app used, for JSON."""
    return {name: getattr(usage, name) for name in names}


def failure_fields(failures):
    """Runs that failed, for JSON."""
    return [{"uptime_ms": failure.uptime, "name": failure.name, "what": failure.what} for failure in failures]


def visible(text):
    """Text of the device with escapes for what could command the terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def show_progress(name):
    """Shows how far an upload is, if somebody looks."""
    if not sys.stderr.isatty():
        return lambda done, total: None
    return lambda done, total: print(f"\r{name}: {done} of {total} bytes ({100 * done // max(total, 1)} %)",
                                     end="\n" if done == total else "", file=sys.stderr, flush=True)
