#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Computes the load that a fleet of devices puts on rollout server, registry and compile service, as a table in Markdown.

Nothing is measured here: the bytes of a request were read between samples/updatable_app with CONFIG_WISP_DDI on native_sim and
the server of tests/fleet, and all else follows from the arguments.
"""

import argparse
import math

# Bytes (to the server, from the server) of what a device exchanges with the rollout server, without TLS.
POLL = (162, 172)
# poll with a link to the action, the action, head of the image, two feedbacks
ACTION = ((162, 277), (185, 926), (233, 114), (380, 111), (375, 111))
# Added by TLS 1.2 to each request, with one certificate of P-256: a handshake, and the heads of the records.
TLS = (269, 824)
DAY = 24 * 3600


def bytes_text(count):
    """A number of bytes with a unit and three digits."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def number_text(count):
    """A number with three digits, and commas."""
    digits = 0 if count == int(count) else max(0, 2 - math.floor(math.log10(abs(count))))
    return f"{round(count, digits):,.{digits}f}"


def rows(fleet, arguments):
    """The rows for one fleet: name -> text."""
    polls = fleet / arguments.poll_seconds
    each = len(ACTION)
    action = sum(map(sum, ACTION)) + each * sum(TLS) + arguments.image
    rollout = arguments.rollout_hours * 3600
    # all devices of the group ask within one interval
    group = fleet / arguments.groups / arguments.poll_seconds
    daily = arguments.apps * arguments.targets * arguments.builds
    releases = arguments.apps * arguments.targets * arguments.releases / 7
    return {
        "polls, requests per second": number_text(polls),
        "polls, bytes per second": bytes_text(polls * (sum(POLL) + sum(TLS))),
        "one update of one app, requests": number_text(fleet * each),
        "one update of one app, bytes": bytes_text(fleet * action),
        f"the same, bytes per second over {arguments.rollout_hours} hours": bytes_text(fleet * action / rollout),
        "when a group begins, requests per second": number_text(group * each),
        "when a group begins, bytes per second": bytes_text(group * action),
        "images that a cache in front of the server keeps": number_text(arguments.targets),
        "downloads of them that the cache answers": f"{100 * (1 - arguments.targets / fleet):.5f} %",
        "registry: images that are published in a day": number_text(releases),
        "registry: bytes that are published in a day": bytes_text(releases * arguments.image),
        "compile service: jobs in a day": number_text(daily),
        "compile service: jobs that run a compiler": number_text(daily * arguments.fresh / 100),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, nargs="+", default=[100_000, 10_000_000], help="sizes of fleets")
    parser.add_argument("--poll-seconds", type=int, default=300, help="time between two polls of a device (default: 300)")
    parser.add_argument("--image", type=int, default=32768, help="bytes of an image (default: 32768)")
    parser.add_argument("--groups", type=int, default=20, help="equal groups of a rollout (default: 20)")
    parser.add_argument("--rollout-hours", type=int, default=24, help="time that the whole rollout takes (default: 24)")
    parser.add_argument("--apps", type=int, default=20, help="apps of the fleet (default: 20)")
    parser.add_argument("--targets", type=int, default=4, help="forms of an image: portable and processors (default: 4)")
    parser.add_argument("--releases", type=float, default=1, help="published versions of an app in a week (default: 1)")
    parser.add_argument("--builds", type=int, default=30, help="builds of an app in a day, by people and CI (default: 30)")
    parser.add_argument("--fresh", type=int, default=20, help="percentage of builds with changed code (default: 20)")
    arguments = parser.parse_args()
    fleets = [rows(fleet, arguments) for fleet in arguments.devices]
    print("| devices | " + " | ".join(f"{fleet:,}" for fleet in arguments.devices) + " |")
    print("|---|" + "--:|" * len(fleets))
    for name in fleets[0]:
        print(f"| {name} | " + " | ".join(found[name] for found in fleets) + " |")


if __name__ == "__main__":
    main()
