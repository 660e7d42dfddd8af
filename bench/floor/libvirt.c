/*
 * The least that libvirt's calls can cost: the jobs of bench/jobs/libvirt.ts from C, with libvirt's event loop in a thread
 * of its own, as any program has that watches or wants to know of a lost connection.
 *
 * Usage: libvirt URI. Each line of stdin is a command, each line of stdout its answer, a JSON array of microseconds:
 *
 *   list TIMES                 list all networks and dump each, so many times
 *   create TIMES XML           create a network, which exists no longer after its destroy; XML: a file
 *   event TIMES NAME           from virNetworkCreate until the callback has 'started'; the network runs before and after
 *   calls TIMES THREADS NAME   virNetworkGetXMLDesc, spread over threads: the time of all, divided by TIMES
 */
#define _GNU_SOURCE
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

enum { MAX_THREADS = 64, MAX_XML = 1 << 16, MAX_LINE = 4096 };

static virConnectPtr connection;

static void answer(int index, double microseconds) { printf("%s%.2f", index == 0 ? "[" : ",", microseconds); }

static virNetworkPtr look_up(const char* name) {
  virNetworkPtr network = virNetworkLookupByName(connection, name);
  if (!network) die("%s", name);
  return network;
}

static void dump(virNetworkPtr network) {
  char* xml = virNetworkGetXMLDesc(network, 0);
  if (!xml) die("virNetworkGetXMLDesc");
  free(xml);
}

static void list(int times) {
  for (int i = 0; i < times; i++) {
    double start = now_us();
    virNetworkPtr* networks;
    int count = virConnectListAllNetworks(connection, &networks, 0);
    if (count < 0) die("virConnectListAllNetworks");
    for (int n = 0; n < count; n++) {
      dump(networks[n]);
      virNetworkFree(networks[n]);
    }
    free(networks);
    answer(i, now_us() - start);
  }
}

static void create(int times, const char* path) {
  static char xml[MAX_XML];
  FILE* file = fopen(path, "r");
  if (!file) die("%s", path);
  xml[fread(xml, 1, sizeof xml - 1, file)] = 0;
  fclose(file);
  for (int i = 0; i < times; i++) {
    double start = now_us();
    virNetworkPtr network = virNetworkCreateXML(connection, xml);
    if (!network || virNetworkDestroy(network) < 0) die("create and destroy");
    virNetworkFree(network);
    answer(i, now_us() - start);
  }
}

static sem_t happened;
static double started_at;

static void on_event(virConnectPtr from, virNetworkPtr network, int event, int detail, void* opaque) {
  (void)from, (void)network, (void)detail, (void)opaque;
  if (event == VIR_NETWORK_EVENT_STARTED) started_at = now_us();
  sem_post(&happened);
}

/* Watches no longer than it has to: other contenders' networks have events, too. */
static void event(int times, const char* name) {
  sem_init(&happened, 0, 0);
  int id = virConnectNetworkEventRegisterAny(connection, NULL, VIR_NETWORK_EVENT_ID_LIFECYCLE,
                                             VIR_NETWORK_EVENT_CALLBACK(on_event), NULL, NULL);
  if (id < 0) die("virConnectNetworkEventRegisterAny");
  virNetworkPtr network = look_up(name);
  for (int i = 0; i < times; i++) {
    if (virNetworkDestroy(network) < 0) die("virNetworkDestroy");
    sem_wait(&happened);
    double start = now_us();
    if (virNetworkCreate(network) < 0) die("virNetworkCreate");
    sem_wait(&happened);
    answer(i, started_at - start);
  }
  virNetworkFree(network);
  if (virConnectNetworkEventDeregisterAny(connection, id) < 0) die("virConnectNetworkEventDeregisterAny");
}

struct share {
  int times;
  virNetworkPtr network;
  pthread_barrier_t* ready;
};

static void* call(void* opaque) {
  const struct share* share = opaque;
  pthread_barrier_wait(share->ready);
  for (int i = 0; i < share->times; i++) dump(share->network);
  return NULL;
}

static void calls(int times, int threads, const char* name) {
  pthread_t thread[MAX_THREADS];
  pthread_barrier_t ready;
  if (threads < 1 || threads > MAX_THREADS) die("%d threads", threads);
  struct share share = {times / threads, look_up(name), &ready};
  pthread_barrier_init(&ready, NULL, threads);
  for (int t = 1; t < threads; t++) {
    if (pthread_create(&thread[t], NULL, call, &share) != 0) die("pthread_create");
  }
  double start = now_us();
  call(&share);
  for (int t = 1; t < threads; t++) pthread_join(thread[t], NULL);
  answer(0, (now_us() - start) / (share.times * threads));
  pthread_barrier_destroy(&ready);
  virNetworkFree(share.network);
}

static void run(const char* line) {
  int times, threads;
  char text[MAX_LINE];
  if (sscanf(line, "list %d", &times) == 1)
    list(times);
  else if (sscanf(line, "create %d %s", &times, text) == 2)
    create(times, text);
  else if (sscanf(line, "event %d %s", &times, text) == 2)
    event(times, text);
  else if (sscanf(line, "calls %d %d %s", &times, &threads, text) == 3)
    calls(times, threads, text);
  else
    die("%s", line);
  puts("]");
  fflush(stdout);
}

static void* run_events(void* unused) {
  for (;;) {
    if (virEventRunDefaultImpl() < 0) die("virEventRunDefaultImpl");
  }
  return unused;
}

static void ignore_error(void* opaque, virErrorPtr error) { (void)opaque, (void)error; }

int main(int count, char** arguments) {
  if (count != 2) die("usage: libvirt URI");
  pthread_t loop;
  virSetErrorFunc(NULL, ignore_error);
  if (virEventRegisterDefaultImpl() < 0 || pthread_create(&loop, NULL, run_events, NULL) != 0) die("event loop");
  connection = virConnectOpen(arguments[1]);
  if (!connection) die("%s", arguments[1]);
  char line[MAX_LINE];
  while (fgets(line, sizeof line, stdin)) run(line);
}
