/* SPDX-License-Identifier: Apache-2.0 */

/* Asks the servers of the firmware by the calls of BSD. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "../../peripherals/guests/check.h"

static struct sockaddr_in local(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

	EXPECT(inet_pton(AF_INET, "127.0.0.1", &address.sin_addr) == 1);
	EXPECT(ntohl(address.sin_addr.s_addr) == INADDR_LOOPBACK);
	return address;
}

static void datagrams(void)
{
	struct sockaddr_in server = local(5683);
	struct sockaddr_in6 from;
	socklen_t length = sizeof(from);
	char answer[16] = {0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	EXPECT(fd >= 0);
	EXPECT(sendto(fd, "question", 8, 0, (struct sockaddr *)&server, sizeof(server)) == 8);
	EXPECT(recvfrom(fd, answer, sizeof(answer), 0, (struct sockaddr *)&from, &length) == 6);
	EXPECT(memcmp(answer, "answer", 7) == 0);
	EXPECT(length == sizeof(server) && memcmp(&from, &server, sizeof(server)) == 0);
	EXPECT(recv(fd, answer, sizeof(answer), MSG_DONTWAIT) == -1 && errno == EAGAIN);
	EXPECT(close(fd) == 0);
	EXPECT(close(fd) == -1 && errno == EBADF);
}

static void connection(void)
{
	struct sockaddr_in server = local(8001);
	char answer[16] = {0};
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);

	EXPECT(connect(fd, (struct sockaddr *)&server, sizeof(server)) == -1 && errno == EACCES);
	EXPECT(connect(fd, (struct sockaddr *)&server, 4) == -1 && errno == EINVAL);
	server = local(8000);
	EXPECT(connect(fd, (struct sockaddr *)&server, sizeof(server)) == 0);
	EXPECT(send(fd, "ping", 4, 0) == 4);
	EXPECT(recv(fd, answer, sizeof(answer), 0) == 4 && memcmp(answer, "pong", 5) == 0);
	EXPECT(recv(fd, answer, sizeof(answer), 0) == 0);
	EXPECT(listen(fd, 1) == 0 && shutdown(fd, 0) == -1 && errno == EINVAL);
	EXPECT(close(fd) == 0);
}

int main(void)
{
	struct in_addr address;

	EXPECT(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP) == -1 && errno == EINVAL);
	EXPECT(inet_pton(AF_INET, "not an address", &address) == 0);
	EXPECT(inet_pton(AF_INET, "192.0.2.1", &address) == -1 && errno == EACCES);
	datagrams();
	connection();
	return 0;
}
