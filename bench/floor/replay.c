/*
 * The C floor: sends recorded requests to the kernel, in a network namespace of its own, and times them. What it sends
 * is what virbr sends, so that a ratio to it measures what virbr adds, not what was asked of the kernel.
 *
 *   replay SCRIPT
 *
 * runs all sections once for each line that it reads, or the one that the line names, and answers with a line
 * {"<section>": microseconds, …}. One process serves a whole benchmark: the kernel takes the namespace of one that has
 * ended apart in the background, which would slow whatever is measured next.
 *
 * SCRIPT, in host byte order: the bytes "VBRREPL1", then records, each
 *
 *   u32 kind, u32 argument, u32 may_fail, u32 length, then `length` bytes, padded with zeros to a multiple of 4
 *
 *   kind 1  section   data: its name (at most 31 bytes, no NUL). Later steps belong to it. The section "setup" runs
 *                     once, untimed; all others run in turn, once an iteration.
 *   kind 2  netlink   argument: protocol (NETLINK_ROUTE 0, NETLINK_NETFILTER 12). data: one or more messages, sent with
 *                     one sendmsg; then replies are drained: to NLMSG_DONE if the first message asks for a dump,
 *                     otherwise until none is queued, which suffices since the kernel queues them before sendmsg
 *                     returns. A negative NLMSG_ERROR ends the program, unless may_fail is set.
 *   kind 3  write     data: path, NUL, text. One open, write, close, as for a sysctl.
 *   kind 4  read      data: path. One open, read to the end, close.
 *   kind 5  spawn     data: arguments, each with its NUL. Starts a program and waits until it ends with status 0.
 *                     argument 1: what it prints is read, and forgotten; else it must print nothing.
 *   kind 6  terminate data: path of a file with a pid. SIGTERM, then waits by pidfd until that process has ended.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

enum { SECTION = 1, NETLINK = 2, WRITE = 3, READ = 4, SPAWN = 5, TERMINATE = 6 };
enum { MAX_STEPS = 4096, MAX_ARGUMENTS = 32, MAX_SECTIONS = 16, MAX_PROTOCOL = 32, SOCKET_BUFFER = 8 << 20 };

struct step {
  uint32_t kind, argument, may_fail, length;
  const char* data;
};

struct section {
  char name[32];
  int first, end;
};

static struct step steps[MAX_STEPS];
static struct section sections[MAX_SECTIONS];
static int step_count, section_count;
static int sockets[MAX_PROTOCOL];
static char reply[1 << 18];

static char* read_script(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) < 0) die("%s: %s", path, strerror(errno));
  *size = ftell(file);
  rewind(file);
  char* bytes = malloc(*size + 4);
  if (!bytes || fread(bytes, 1, *size, file) != *size) die("%s: cannot read", path);
  fclose(file);
  return bytes;
}

static void begin_section(const struct step* step) {
  if (section_count == MAX_SECTIONS || step->length >= sizeof sections[0].name) die("bad section");
  struct section* section = &sections[section_count++];
  memcpy(section->name, step->data, step->length);
  section->first = section->end = step_count;
}

static void parse_script(char* bytes, size_t size) {
  if (size < 8 || memcmp(bytes, "VBRREPL1", 8) != 0) die("not a replay script");
  for (size_t at = 8; at < size;) {
    struct step step;
    if (size - at < 16) die("truncated at byte %zu", at);
    memcpy(&step, bytes + at, 16);
    step.data = bytes + at + 16;
    if (step.length > size - at - 16) die("truncated at byte %zu", at);
    at += 16 + ((step.length + 3) & ~(size_t)3);
    if (step.kind == SECTION) {
      begin_section(&step);
      continue;
    }
    if (step.kind < NETLINK || step.kind > TERMINATE || section_count == 0 || step_count == MAX_STEPS) die("bad step");
    if (step.kind == NETLINK && (step.argument >= MAX_PROTOCOL || step.length < sizeof(struct nlmsghdr)))
      die("bad step");
    steps[step_count++] = step;
    sections[section_count - 1].end = step_count;
  }
}

static int open_socket(int protocol) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  struct sockaddr_nl address = {.nl_family = AF_NETLINK};
  if (fd < 0 || bind(fd, (struct sockaddr*)&address, sizeof address) < 0) die("netlink socket: %s", strerror(errno));
  int one = 1, size = SOCKET_BUFFER;
  setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof one);
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof one);
  setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof one);
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0) {
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  }
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  return fd;
}

/* 1 when NLMSG_DONE was among the messages. */
static int check_replies(const struct step* step, ssize_t length) {
  int done = 0;
  for (struct nlmsghdr* message = (struct nlmsghdr*)reply; NLMSG_OK(message, length);
       message = NLMSG_NEXT(message, length)) {
    if (message->nlmsg_type == NLMSG_DONE) done = 1;
    if (message->nlmsg_type != NLMSG_ERROR) continue;
    int error = ((struct nlmsgerr*)NLMSG_DATA(message))->error;
    if (error == 0) continue;
    if (!step->may_fail) die("step %td: message %u: %s", step - steps, message->nlmsg_seq, strerror(-error));
    done = 1;
  }
  return done;
}

static void run_netlink(const struct step* step) {
  int* fd = &sockets[step->argument];
  if (*fd < 0) *fd = open_socket(step->argument);
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  struct iovec part = {(void*)step->data, step->length};
  struct msghdr message = {.msg_name = &kernel, .msg_namelen = sizeof kernel, .msg_iov = &part, .msg_iovlen = 1};
  if (sendmsg(*fd, &message, 0) < 0) die("step %td: sendmsg: %s", step - steps, strerror(errno));
  struct nlmsghdr first;
  memcpy(&first, step->data, sizeof first);
  /* NLM_F_DUMP's bits mean NLM_F_REPLACE and NLM_F_EXCL on a message that makes something, which also asks for an ACK.
   */
  int dump = (first.nlmsg_flags & (NLM_F_DUMP | NLM_F_ACK)) == NLM_F_DUMP;
  for (;;) {
    ssize_t length = recv(*fd, reply, sizeof reply, dump ? 0 : MSG_DONTWAIT);
    if (length < 0 && errno == EAGAIN) return;
    if (length < 0) die("step %td: recv: %s", step - steps, strerror(errno));
    if (check_replies(step, length) && dump) return;
  }
}

static void run_file(const struct step* step) {
  char path[256];
  size_t path_length = strnlen(step->data, step->length);
  if (path_length >= sizeof path) die("step %td: path too long", step - steps);
  memcpy(path, step->data, path_length);
  path[path_length] = 0;
  int fd = open(path, (step->kind == WRITE ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
  if (fd < 0 && step->may_fail) return;
  if (fd < 0) die("%s: %s", path, strerror(errno));
  if (step->kind == WRITE) {
    size_t length = step->length - path_length - (path_length < step->length);
    if (write(fd, step->data + path_length + 1, length) < 0 && !step->may_fail) die("%s: %s", path, strerror(errno));
  } else {
    while (read(fd, reply, sizeof reply) > 0) continue;
  }
  close(fd);
}

static void run_spawn(const struct step* step) {
  char* arguments[MAX_ARGUMENTS + 1];
  int count = 0;
  for (const char* at = step->data; at < step->data + step->length; at += strlen(at) + 1) {
    if (count == MAX_ARGUMENTS) die("too many arguments: %s", arguments[0]);
    arguments[count++] = (char*)at;
  }
  arguments[count] = NULL;
  pid_t pid;
  int status, output[2] = {-1, -1};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (step->argument == 1) {
    if (pipe2(output, O_CLOEXEC) < 0) die("pipe: %s", strerror(errno));
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  }
  if (posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ) != 0) die("cannot start %s", arguments[0]);
  posix_spawn_file_actions_destroy(&actions);
  if (step->argument == 1) {
    close(output[1]);
    while (read(output[0], reply, sizeof reply) > 0) continue;
    close(output[0]);
  }
  if (waitpid(pid, &status, 0) < 0 || status != 0) die("%s: status %d", arguments[0], status);
}

static void run_terminate(const struct step* step) {
  FILE* file = fopen(step->data, "r");
  int pid = 0;
  if (!file || fscanf(file, "%d", &pid) != 1) die("%s: no pid", step->data);
  fclose(file);
  struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
  if (end.fd < 0 || kill(pid, SIGTERM) < 0 || poll(&end, 1, 5000) != 1) die("cannot end process %d", pid);
  close(end.fd);
}

static void run_section(const struct section* section) {
  for (const struct step* step = steps + section->first; step < steps + section->end; step++) {
    switch (step->kind) {
      case NETLINK:
        run_netlink(step);
        break;
      case SPAWN:
        run_spawn(step);
        break;
      case TERMINATE:
        run_terminate(step);
        break;
      default:
        run_file(step);
    }
  }
}

static int timed(const struct section* section) { return strcmp(section->name, "setup") != 0; }

/* All but the setup if the name is empty. */
static void run_named(const char* name) {
  const char* separator = "{";
  for (int s = 0; s < section_count; s++) {
    if (!timed(&sections[s]) || (*name && strcmp(name, sections[s].name) != 0)) continue;
    double start = now_us();
    run_section(&sections[s]);
    printf("%s\"%s\": %.2f", separator, sections[s].name, now_us() - start);
    separator = ", ";
  }
  if (*separator == '{') die("no section %s", name);
  puts("}");
  fflush(stdout);
}

int main(int count, char** arguments) {
  if (count != 2) die("usage: replay SCRIPT");
  size_t size;
  char* bytes = read_script(arguments[1], &size);
  parse_script(bytes, size);
  if (unshare(CLONE_NEWNET) < 0) die("unshare: %s", strerror(errno));
  memset(sockets, -1, sizeof sockets);
  for (int s = 0; s < section_count; s++) {
    if (!timed(&sections[s])) run_section(&sections[s]);
  }
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    run_named(line);
  }
  free(bytes);
}
