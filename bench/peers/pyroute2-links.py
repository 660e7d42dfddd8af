"""The jobs of bench/jobs/rtnetlink.ts with pyroute2, in its namespace. Commands as of bench/floor/links.c."""
import json
import sys
from time import perf_counter

from pyroute2 import IPRoute

GROUP = 0x5EED5EED


def index_of(ip, name):
    found = ip.link_lookup(ifname=name)
    return found[0] if found else None


def create(ip, kind, count):
    bridges = [index_of(ip, "fbr" if i == 0 else f"fbr{i}") for i in range((count + 999) // 1000)]
    for i in range(count):
        if kind == "veth":
            ip.link("add", ifname=f"fv{i}", kind=kind, peer={"ifname": f"fq{i}"})
        elif kind == "tap":
            ip.link("add", ifname=f"fv{i}", kind="tuntap", mode="tap")
        elif kind == "vxlan":
            ip.link("add", ifname=f"fv{i}", kind=kind, vxlan_id=i + 1, vxlan_port=4789)
        else:
            ip.link("add", ifname=f"fv{i}", kind=kind, link=bridges[0], vlan_id=i % 4094 + 1)
    ports = [index_of(ip, f"fv{i}") for i in range(count)]
    for i, port in enumerate(ports):
        ip.link("set", index=port, state="up", **({} if kind == "vlan" else {"master": bridges[i // 1000]}))
    if kind == "veth":
        for i in range(count):
            ip.link("set", index=index_of(ip, f"fq{i}"), state="up")


def delete(ip, count):
    for i in range(count):
        ip.link("set", index=index_of(ip, f"fv{i}"), group=GROUP)
    ip.link("del", group=GROUP)


def port_of(ip):
    if index_of(ip, "fp0") is None:
        ip.link("add", ifname="fp0", kind="veth", peer={"ifname": "fp1"})
        ip.link("set", index=index_of(ip, "fp0"), master=index_of(ip, "fbr"), state="up")
    return index_of(ip, "fp0")


def fdb(ip, command, count, port):
    for i in range(count):
        ip.fdb(command, ifindex=port, lladdr=f"52:54:00:{i >> 16:02x}:{i >> 8 & 255:02x}:{i & 255:02x}", master=port)


def routes(ip, command, count, port):
    for i in range(count):
        ip.route(command, dst=f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}/32", oif=port, scope=253)


def main():
    ip = IPRoute()
    if index_of(ip, "fbr") is None:
        ip.link("add", ifname="fbr", kind="bridge", state="up")
    for line in sys.stdin:
        command, *arguments = line.split()
        port = port_of(ip) if command in ("fdb", "routes") else None
        start = perf_counter()
        if command == "create":
            create(ip, arguments[0], int(arguments[1]))
        elif command == "delete":
            delete(ip, int(arguments[0]))
        elif command == "fdb":
            fdb(ip, "add", int(arguments[0]), port)
        elif command == "routes":
            routes(ip, "add", int(arguments[0]), port)
        elif command == "list":
            ip.get_links()
        time = perf_counter() - start
        if command == "fdb":
            fdb(ip, "del", int(arguments[0]), port)
        if command == "routes":
            routes(ip, "del", int(arguments[0]), port)
        print(json.dumps({"us": time * 1e6}), flush=True)


main()
