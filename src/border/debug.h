/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Part of shim.h: the debugger on the device. A request of a workstation is one byte with an enum
 * wisp_debug_request, followed by its parameters. An answer is one byte with an enum
 * wisp_debug_result, followed by what was asked for. Numbers have their low byte first.
 */

#ifndef WISP_BORDER_DEBUG_H_
#define WISP_BORDER_DEBUG_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wisp_app;

/* Bytes of an answer at most. */
#define WISP_DEBUG_ANSWER 200

/*
 * A request's first byte. Parameters stand behind the arrow, and the answer behind the colon, each
 * with its bytes in parentheses.
 */
enum wisp_debug_request {
	/* Begins to debug the app, and asks it to stop at its next step. */
	WISP_DEBUG_ATTACH = 1,
	/* Ends that: the app goes on. */
	WISP_DEBUG_DETACH = 2,
	/*
	 * How the app is: one byte with an enum wisp_debug_state. WISP_DEBUG_HELD is followed by
	 * the number of the stop (1 byte), the reason (4), and both parts of the image's id (8).
	 * WISP_DEBUG_ENDED is followed by the trap (4) and the exit status (4).
	 */
	WISP_DEBUG_STATE = 3,
	/* Asks the app to stop at its next step. */
	WISP_DEBUG_PAUSE = 4,
	/*
	 * Lets an app go on that is held. -> number of the stop (1), 1 for one step only or 0 (1),
	 * code offsets of breakpoints (4 each). A request for an earlier stop changes nothing.
	 */
	WISP_DEBUG_GO = 5,
	/* Asks the app to end. */
	WISP_DEBUG_KILL = 6,
	/* Below: what is seen of an app that is held. */
	/* -> frames to leave out (2): function, code offset and place of each frame (12). */
	WISP_DEBUG_FRAMES = 16,
	/* -> place of the frame (4), slot (4): the slot (4), or nothing. */
	WISP_DEBUG_SLOT = 17,
	/* -> index of the global (4): slots of its type (1) and its bits (8), or nothing. */
	WISP_DEBUG_GLOBAL = 18,
	/* -> address (4), length (1): bytes of linear memory, as many as there are. */
	WISP_DEBUG_READ = 19,
	/* -> address (4), bytes: one byte, 0 if some of them do not exist. */
	WISP_DEBUG_WRITE = 20,
};

/* An answer's first byte. */
enum wisp_debug_result {
	WISP_DEBUG_OK = 0,
	/* The request is none of the above, or has too few parameters. */
	WISP_DEBUG_MALFORMED = 1,
	/* Another app is debugged. */
	WISP_DEBUG_BUSY = 2,
	/* This app is not debugged, or not any more. */
	WISP_DEBUG_NOT_ATTACHED = 3,
	/* The app is not held. */
	WISP_DEBUG_NOT_HELD = 4,
	/* The app runs an image that was not built for a debugger. */
	WISP_DEBUG_NO_STEPS = 5,
	/* There are more breakpoints than CONFIG_WISP_DEBUG_BREAKPOINTS. */
	WISP_DEBUG_TOO_MANY = 6,
};

enum wisp_debug_state {
	/* The app does not run yet. */
	WISP_DEBUG_WAITING = 0,
	WISP_DEBUG_RUNNING = 1,
	WISP_DEBUG_HELD = 2,
	WISP_DEBUG_ENDED = 3,
};

/* Reasons for which an app is held. */
enum wisp_debug_reason {
	WISP_DEBUG_GO_ON = 0,
	WISP_DEBUG_ASKED = 1,
	WISP_DEBUG_STEPPED = 2,
	WISP_DEBUG_BREAKPOINT = 3,
	/* The number of a trap is added to this. */
	WISP_DEBUG_TRAP = 256,
};

/* Says at the start of a run whether its image was built for a debugger. */
void wisp_shim_debug_begin(const struct wisp_app *app, bool steps);

/* Returns the reason to stop in front of the step at this code offset, or WISP_DEBUG_GO_ON. */
uint32_t wisp_shim_debug_reason(const struct wisp_app *app, uint32_t offset);

/*
 * Holds the app's thread until it may go on. Meanwhile wisp_rust_debug_look() may be called with
 * the view.
 */
void wisp_shim_debug_hold(const struct wisp_app *app, const void *view, uint32_t reason);

/*
 * Rust: answers a request about an app that is held. The answer has WISP_DEBUG_ANSWER bytes at
 * most, and its length is returned.
 */
size_t wisp_rust_debug_look(const void *view, const uint8_t *request, size_t length,
			    uint8_t *answer);

/* Rust: writes both parts of the id of the image of an app that is held. */
void wisp_rust_debug_image(const void *view, uint32_t *wasm, uint32_t *code);

#endif /* WISP_BORDER_DEBUG_H_ */
