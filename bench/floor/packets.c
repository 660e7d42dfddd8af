/*
 * Sends packets from a guest's network namespace to another and back, and times them.
 *
 *   packets GUEST OUTSIDE ADDRESS
 *
 * takes the paths of two network namespaces, and an address in the second. For each line with a number it sends that many
 * UDP packets of 64 bytes from the guest, in bursts, each burst answered by as many, and answers with a line
 * {"us": microseconds per packet, "from": "address that the outside saw"}.
 *
 * The kernel forwards within the call that sends, or at once after it, so that the time is that of the path: the same
 * path without rules says what the sockets and links cost.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "support.h"

enum { PORT = 9000, BURST = 32, SIZE = 64 };

/* A socket belongs to the namespace that it was made in. */
static int socket_in(const char* netns) {
  int fd = open(netns, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(fd, CLONE_NEWNET) < 0) die("%s: %s", netns, strerror(errno));
  close(fd);
  int made = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct timeval patience = {.tv_sec = 2};
  if (made < 0 || setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0) die("socket");
  return made;
}

static void send_burst(int fd, const struct sockaddr_in* to) {
  static const char data[SIZE];
  for (int i = 0; i < BURST; i++) {
    if (sendto(fd, data, sizeof data, 0, (const struct sockaddr*)to, sizeof *to) != SIZE)
      die("send: %s", strerror(errno));
  }
}

static void receive_burst(int fd, struct sockaddr_in* from) {
  char data[SIZE];
  for (int i = 0; i < BURST; i++) {
    socklen_t size = sizeof *from;
    if (recvfrom(fd, data, sizeof data, 0, (struct sockaddr*)from, &size) != SIZE)
      die("a packet is lost: %s", strerror(errno));
  }
}

int main(int count, char** arguments) {
  if (count != 4) die("usage: packets GUEST OUTSIDE ADDRESS");
  int guest = socket_in(arguments[1]), outside = socket_in(arguments[2]);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)}, from, back;
  if (bind(outside, (struct sockaddr*)&address, sizeof address) < 0) die("bind: %s", strerror(errno));
  if (inet_pton(AF_INET, arguments[3], &address.sin_addr) != 1) die("no address: %s", arguments[3]);
  char line[32], text[INET_ADDRSTRLEN];
  while (fgets(line, sizeof line, stdin)) {
    int bursts = (atoi(line) + BURST - 1) / BURST;
    double start = now_us();
    for (int i = 0; i < bursts; i++) {
      send_burst(guest, &address);
      receive_burst(outside, &from);
      send_burst(outside, &from);
      receive_burst(guest, &back);
    }
    double time = now_us() - start;
    inet_ntop(AF_INET, &from.sin_addr, text, sizeof text);
    printf("{\"us\": %.4f, \"from\": \"%s\"}\n", time / (2.0 * bursts * BURST), text);
    fflush(stdout);
  }
}
