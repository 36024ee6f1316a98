/* SPDX-License-Identifier: Apache-2.0 */

/* Peers of the apps, which the firmware plays, and checks of what is left of a test. */

#ifndef PEERS_H_
#define PEERS_H_

#include <zephyr/net/socket.h>
#include <zephyr/ztest.h>

#include <wisp/wisp.h>

#define APP(name) WISP_APP_DT_GET(DT_PATH(wisp_apps, name))

/* Returns a port of 127.0.0.1. */
struct sockaddr_in local(uint16_t port);

/* Makes a socket, bound to a port unless it is 0. */
int make(bool tcp, uint16_t port);

/* Connects, again and again until the app listens. */
int connected(uint16_t port);

/* Sends a datagram from a socket to a port. */
void send_to(int socket, const void *bytes, size_t length, uint16_t port);

/* Starts an app with an embedded image. */
void start(const struct wisp_app *app, const char *image);

/* Waits for the end of a run, which must be this one, with status 0. */
void finish(const struct wisp_app *app, enum wisp_app_state state);

/* Stops an app that runs. */
void stop(const struct wisp_app *app);

/* Returns the lock of the descriptor that an app's socket has. */
struct k_mutex *lock_of(const struct wisp_app *app, uint32_t socket);

/* Notes what the network stack has in use, and fails if it does not come back to that. */
void note_resources(void *fixture);
void check_resources(void *fixture);

#endif /* PEERS_H_ */
