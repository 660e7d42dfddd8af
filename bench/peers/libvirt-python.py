"""The jobs of bench/jobs/libvirt.ts with libvirt-python. Usage and commands: as bench/floor/libvirt.c."""
import json
import sys
import threading
from time import perf_counter

import libvirt


def list_networks(connection, times):
    durations = []
    for _ in range(int(times)):
        start = perf_counter()
        for network in connection.listAllNetworks():
            network.XMLDesc()
        durations.append(perf_counter() - start)
    return durations


def create(connection, times, path):
    with open(path) as file:
        xml = file.read()
    durations = []
    for _ in range(int(times)):
        start = perf_counter()
        connection.networkCreateXML(xml).destroy()
        durations.append(perf_counter() - start)
    return durations


def event(connection, times, name):
    """Waits in one thread for what another, which runs libvirt's loop, is told."""
    happened = threading.Semaphore(0)
    started_at = 0.0

    def on_event(connection, network, event, detail, opaque):
        nonlocal started_at
        if event == libvirt.VIR_NETWORK_EVENT_STARTED:
            started_at = perf_counter()
        happened.release()

    # No longer than it has to: other contenders' networks have events, too.
    watch = connection.networkEventRegisterAny(None, libvirt.VIR_NETWORK_EVENT_ID_LIFECYCLE, on_event, None)
    network = connection.networkLookupByName(name)
    durations = []
    for _ in range(int(times)):
        network.destroy()
        happened.acquire()
        start = perf_counter()
        network.create()
        happened.acquire()
        durations.append(started_at - start)
    connection.networkEventDeregisterAny(watch)
    return durations


def calls(connection, times, count, name):
    network = connection.networkLookupByName(name)
    share = int(times) // int(count)

    def call():
        ready.wait()
        for _ in range(share):
            network.XMLDesc()

    ready = threading.Barrier(int(count))
    threads = [threading.Thread(target=call) for _ in range(int(count) - 1)]
    for thread in threads:
        thread.start()
    start = perf_counter()
    call()
    for thread in threads:
        thread.join()
    return [(perf_counter() - start) / (share * int(count))]


commands = {'list': list_networks, 'create': create, 'event': event, 'calls': calls}


def run_events():
    while True:
        libvirt.virEventRunDefaultImpl()


libvirt.registerErrorHandler(lambda context, error: None, None)
libvirt.virEventRegisterDefaultImpl()
threading.Thread(target=run_events, daemon=True).start()
opened = libvirt.open(sys.argv[1])
for line in sys.stdin:
    command, *arguments = line.split()
    print(json.dumps([round(duration * 1e6, 2) for duration in commands[command](opened, *arguments)]), flush=True)
