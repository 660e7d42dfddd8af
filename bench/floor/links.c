/*
 * The C floor of bulk jobs: the least that the kernel needs for them, by the best order of requests that is known.
 *
 *   links
 *
 * works in a network namespace of its own, reads a command a line, and answers each with a line {"us": microseconds}.
 *
 *   create KIND N   N links of a kind into the bridge "fbr", which is up; they are up afterwards, veths' peers too.
 *                   veth, tap, vxlan; vlan: of the bridge, and in none
 *   delete N        the N links that were created last, by a scratch group
 *   fdb N           N static entries of the bridge's port "fp0", which is made first; then takes them away, untimed
 *   routes N        N IPv4 routes through "fp0", the same way
 *   list            all links, without statistics
 *   without-ipv6    for links that are made from then on
 *   event N         sets the MTU of "fp0" and waits for the change on another socket, N times
 *
 * In each phase the messages of a thousand links go out in one sendmsg. Only the last of them asks for an
 * acknowledgement: the kernel answers what it refuses in any case.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

enum { BATCH = 1000, BUFFER = 16 << 20, GROUP = 0x5eed5eed };

static char batch[BUFFER], reply[1 << 18];
static size_t used;
static struct nlmsghdr* last;
static int route_socket;
static uint32_t sequence;

/* Building messages: begin, header, attributes, end. */

static void* put(const void* data, size_t size) {
  void* at = batch + used;
  size_t padded = (size + 3) & ~(size_t)3;
  memset(at, 0, padded);
  if (data) memcpy(at, data, size);
  used += padded;
  return at;
}

static void begin(int type, int flags, const void* header, size_t size) {
  struct nlmsghdr nlh = {.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags, .nlmsg_seq = ++sequence};
  last = put(&nlh, sizeof nlh);
  put(header, size);
}

static void end(void) { last->nlmsg_len = batch + used - (char*)last; }

static struct rtattr* attribute(int type, const void* data, size_t size) {
  struct rtattr header = {.rta_type = type, .rta_len = sizeof header + size};
  struct rtattr* at = put(&header, sizeof header);
  if (size > 0) put(data, size);
  return at;
}

static void number(int type, uint32_t value) { attribute(type, &value, sizeof value); }
static void text(int type, const char* value) { attribute(type, value, strlen(value) + 1); }
static struct rtattr* nest(int type) { return attribute(type | NLA_F_NESTED, NULL, 0); }
static void close_nest(struct rtattr* at) { at->rta_len = batch + used - (char*)at; }

/* Sending what has been built. */

static int check(ssize_t length) {
  int done = 0;
  for (struct nlmsghdr* message = (struct nlmsghdr*)reply; NLMSG_OK(message, length);
       message = NLMSG_NEXT(message, length)) {
    if (message->nlmsg_type == NLMSG_DONE) done = 1;
    if (message->nlmsg_type != NLMSG_ERROR) continue;
    int error = ((struct nlmsgerr*)NLMSG_DATA(message))->error;
    if (error != 0) die("message %u: %s", message->nlmsg_seq, strerror(-error));
    done = 1;
  }
  return done;
}

static void flush(int dump) {
  if (used == 0) return;
  if (!dump) last->nlmsg_flags |= NLM_F_ACK;
  if (send(route_socket, batch, used, 0) < 0) die("send: %s", strerror(errno));
  for (;;) {
    ssize_t length = recv(route_socket, reply, sizeof reply, 0);
    if (length < 0) die("recv: %s", strerror(errno));
    if (check(length)) break;
  }
  used = 0;
}

static void open_socket(void) {
  route_socket = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  int one = 1, size = BUFFER;
  setsockopt(route_socket, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof one);
  setsockopt(route_socket, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof one);
  setsockopt(route_socket, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  setsockopt(route_socket, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (route_socket < 0 || connect(route_socket, (struct sockaddr*)&kernel, sizeof kernel) < 0) die("socket");
}

/* Links. */

static void link_message(int type, int flags, const char* name, int up) {
  struct ifinfomsg header = {.ifi_flags = up ? IFF_UP : 0, .ifi_change = up ? IFF_UP : 0};
  begin(type, flags, &header, sizeof header);
  if (name) text(IFLA_IFNAME, name);
}

static const char* name_of(const char* prefix, int i) {
  static char name[IFNAMSIZ];
  snprintf(name, sizeof name, "%s%d", prefix, i);
  return name;
}

static void one_queue(void) {
  number(IFLA_NUM_TX_QUEUES, 1);
  number(IFLA_NUM_RX_QUEUES, 1);
}

static void create_link(const char* name, const char* kind, int i, int lower, int up) {
  link_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, name, up);
  int veth = strcmp(kind, "veth") == 0;
  if (veth) one_queue();
  if (lower) number(IFLA_LINK, lower);
  struct rtattr* info = nest(IFLA_LINKINFO);
  attribute(IFLA_INFO_KIND, kind, strlen(kind));
  struct rtattr* data = nest(IFLA_INFO_DATA);
  if (veth) {
    struct ifinfomsg header = {0};
    struct rtattr* peer = nest(VETH_INFO_PEER);
    put(&header, sizeof header);
    text(IFLA_IFNAME, name_of("fq", i));
    one_queue();
    close_nest(peer);
  } else if (strcmp(kind, "vxlan") == 0) {
    uint16_t port = htons(4789);
    number(IFLA_VXLAN_ID, i + 1);
    attribute(IFLA_VXLAN_PORT, &port, sizeof port);
  } else if (strcmp(kind, "vlan") == 0) {
    uint16_t id = i % 4094 + 1;
    attribute(IFLA_VLAN_ID, &id, sizeof id);
  }
  close_nest(data);
  close_nest(info);
  end();
}

static int taps[1 << 16];

static void create_tap(const char* name, int i) {
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL};
  strcpy(request.ifr_name, name);
  taps[i] = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (taps[i] < 0 || ioctl(taps[i], TUNSETIFF, &request) < 0) die("tap %s: %s", name, strerror(errno));
}

/* A bridge has at most 1,023 ports: the next thousand links go into the next one. */
static int bridge_index(int i) {
  char name[IFNAMSIZ] = "fbr";
  if (i >= 1000) snprintf(name, sizeof name, "fbr%d", i / 1000);
  int index = if_nametoindex(name);
  if (index > 0) return index;
  create_link(name, "bridge", 0, 0, 1);
  flush(0);
  return if_nametoindex(name);
}

static char created[16];

static void create(const char* kind, int count) {
  int bridges[(count + 999) / 1000];
  for (int i = 0; i < count; i += 1000) bridges[i / 1000] = bridge_index(i);
  int vlan = strcmp(kind, "vlan") == 0, veth = strcmp(kind, "veth") == 0, tap = strcmp(kind, "tap") == 0;
  strcpy(created, kind);
  for (int i = 0; i < count; i++) {
    if (tap)
      create_tap(name_of("fv", i), i);
    else
      create_link(strdupa(name_of("fv", i)), kind, i, vlan ? bridges[0] : 0, 0);
    if (i % BATCH == BATCH - 1) flush(0);
  }
  flush(0);
  for (int i = 0; i < count; i++) {
    link_message(RTM_SETLINK, 0, name_of("fv", i), 1);
    if (!vlan) number(IFLA_MASTER, bridges[i / 1000]);
    end();
    if (i % BATCH == BATCH - 1) flush(0);
  }
  flush(0);
  for (int i = 0; veth && i < count; i++) {
    link_message(RTM_SETLINK, 0, name_of("fq", i), 1);
    end();
    if (i % BATCH == BATCH - 1) flush(0);
  }
  flush(0);
}

static void delete(int count) {
  for (int first = 0; first < count; first += BATCH) {
    for (int i = first; i < count && i < first + BATCH; i++) {
      link_message(RTM_SETLINK, 0, name_of("fv", i), 0);
      number(IFLA_GROUP, GROUP);
      end();
    }
    link_message(RTM_DELLINK, 0, NULL, 0);
    number(IFLA_GROUP, GROUP);
    end();
    flush(0);
  }
}

/* Entries of tables. */

static int port_index(void) {
  int index = if_nametoindex("fp0");
  if (index > 0) return index;
  int bridge = bridge_index(0);
  create_link("fp0", "veth", 1 << 20, 0, 0);
  flush(0);
  link_message(RTM_SETLINK, 0, "fp0", 1);
  number(IFLA_MASTER, bridge);
  end();
  flush(0);
  return if_nametoindex("fp0");
}

static void fdb(int type, int flags, int count, int port) {
  for (int i = 0; i < count; i++) {
    struct ndmsg header = {
        .ndm_family = AF_BRIDGE, .ndm_ifindex = port, .ndm_state = NUD_NOARP, .ndm_flags = NTF_MASTER};
    uint8_t mac[] = {0x52, 0x54, 0, i >> 16, i >> 8, i};
    begin(type, flags, &header, sizeof header);
    attribute(NDA_LLADDR, mac, sizeof mac);
    end();
    if (i % BATCH == BATCH - 1) flush(0);
  }
  flush(0);
}

static void routes(int type, int flags, int count, int port) {
  for (int i = 0; i < count; i++) {
    struct rtmsg header = {.rtm_family = AF_INET,
                           .rtm_dst_len = 32,
                           .rtm_table = RT_TABLE_MAIN,
                           .rtm_protocol = RTPROT_STATIC,
                           .rtm_scope = RT_SCOPE_LINK,
                           .rtm_type = RTN_UNICAST};
    uint8_t to[] = {10, i >> 16, i >> 8, i};
    begin(type, flags, &header, sizeof header);
    attribute(RTA_DST, to, sizeof to);
    number(RTA_OIF, port);
    end();
    if (i % BATCH == BATCH - 1) flush(0);
  }
  flush(0);
}

static void list(void) {
  link_message(RTM_GETLINK, NLM_F_DUMP, NULL, 0);
  number(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  end();
  flush(1);
}

/* The socket of the first call hears of links from then on. */
static void event(int mtu) {
  static int monitor = -1;
  if (monitor < 0) {
    struct sockaddr_nl links = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    monitor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (monitor < 0 || bind(monitor, (struct sockaddr*)&links, sizeof links) < 0) die("socket");
  }
  while (recv(monitor, reply, sizeof reply, MSG_DONTWAIT) > 0) continue;
  link_message(RTM_SETLINK, 0, "fp0", 1);
  number(IFLA_MTU, mtu);
  end();
  flush(0);
  if (recv(monitor, reply, sizeof reply, 0) < 0) die("recv: %s", strerror(errno));
}

/* Of links that are made from now on. */
static void without_ipv6(void) {
  int file = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY);
  if (file < 0 || write(file, "1", 1) != 1) die("disable_ipv6: %s", strerror(errno));
  close(file);
}

int main(void) {
  if (unshare(CLONE_NEWNET) < 0) die("unshare: %s", strerror(errno));
  open_socket();
  char line[64], kind[16];
  int count, made = 0, mtu = 1400;
  while (fgets(line, sizeof line, stdin)) {
    int port = 0;
    if (line[0] == 'f' || line[0] == 'r' || line[0] == 'e') port = port_index();
    double start = now_us(), time = 0;
    if (sscanf(line, "create %15s %d", kind, &count) == 2)
      create(kind, made = count);
    else if (sscanf(line, "delete %d", &count) == 1)
      delete(count);
    else if (sscanf(line, "fdb %d", &count) == 1)
      fdb(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, count, port);
    else if (sscanf(line, "routes %d", &count) == 1)
      routes(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, count, port);
    else if (strcmp(line, "list\n") == 0)
      list();
    else if (strcmp(line, "without-ipv6\n") == 0)
      without_ipv6();
    else if (sscanf(line, "event %d", &count) == 1)
      for (int i = 0; i < count; i++) event(mtu ^= 4);
    else
      die("no such command: %s", line);
    time = now_us() - start;
    if (line[0] == 'f') fdb(RTM_DELNEIGH, 0, count, port);
    if (line[0] == 'r') routes(RTM_DELROUTE, 0, count, port);
    for (int i = 0; line[0] == 'd' && strcmp(created, "tap") == 0 && i < made; i++) close(taps[i]);
    printf("{\"us\": %.1f}\n", time);
    fflush(stdout);
  }
}
