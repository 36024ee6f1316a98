/* SPDX-License-Identifier: Apache-2.0 */
/* Found only where the C library has no header of this name. */
#error "pthread.h: an app is one thread; wait for events with wisp_event_wait, or use several apps"
