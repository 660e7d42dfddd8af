/**
 * What `iptables-save -c` shows on a host of Docker 28, with a published port, an internal and an isolated network, an
 * encrypted overlay, and a swarm's ingress; and inside of a container. In kind, not in length.
 */

export const dockerSets = ['docker-ext-bridges-v4 hash:net', 'docker-ext-bridges-v6 hash:net family inet6'] as const

/** Docker 28.0 looks bridges up in a set; from 28.1 on each has its rules in chains of their own. */
export const docker = {
  ip: `*mangle
:PREROUTING ACCEPT [120:9000]
:INPUT ACCEPT [100:8000]
:FORWARD ACCEPT [20:1000]
:OUTPUT ACCEPT [99:7999]
:POSTROUTING ACCEPT [119:8999]
[3:412] -A OUTPUT -p udp -m udp --dport 4789 -m u32 --u32 "0x0>>0x16&0x3c@0xc&0xffffff00=0x100100" -j MARK --set-xmark 0xd0c4e3/0xffffffff
[0:0] -A PREROUTING -p tcp -m tcp --dport 8080 -j MARK --set-xmark 0x100/0xffffffff
COMMIT
*raw
:PREROUTING ACCEPT [120:9000]
:OUTPUT ACCEPT [99:7999]
[0:0] -A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP
[5:300] -A PREROUTING -d 172.18.0.2/32 ! -i br-1b2c3d4e5f60 -j DROP
[1:60] -A PREROUTING -d 127.0.0.1/32 ! -i lo -p tcp -m tcp --dport 8443 -j DROP
COMMIT
*filter
:INPUT ACCEPT [100:8000]
:FORWARD DROP [2:120]
:OUTPUT ACCEPT [99:7999]
:DOCKER - [0:0]
:DOCKER-BRIDGE - [0:0]
:DOCKER-CT - [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-INGRESS - [0:0]
:DOCKER-INTERNAL - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
[1:120] -A INPUT -p udp -m udp --dport 4789 -m u32 --u32 "0x0>>0x16&0x3c@0xc&0xffffff00=0x100100" -m policy --dir in --pol none -j DROP
[20:1000] -A FORWARD -j DOCKER-USER
[20:1000] -A FORWARD -j DOCKER-FORWARD
[0:0] -A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
[0:0] -A DOCKER -d 172.18.0.2/32 ! -i br-1b2c3d4e5f60 -o br-1b2c3d4e5f60 -p udp -m udp --dport 5353:5355 -j ACCEPT
[0:0] -A DOCKER -d 172.18.0.2/32 ! -i br-1b2c3d4e5f60 -o br-1b2c3d4e5f60 -p sctp -m sctp --dport 9999 -j ACCEPT
[7:420] -A DOCKER ! -i docker0 -o docker0 -j DROP
[0:0] -A DOCKER ! -i br-1b2c3d4e5f60 -o br-1b2c3d4e5f60 -j DROP
[7:420] -A DOCKER-BRIDGE -o docker0 -j DOCKER
[0:0] -A DOCKER-BRIDGE -o br-1b2c3d4e5f60 -j DOCKER
[9:540] -A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
[0:0] -A DOCKER-CT -o br-1b2c3d4e5f60 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
[100001:12345678901] -A DOCKER-FORWARD -m set --match-set docker-ext-bridges-v4 dst -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
[20:1000] -A DOCKER-FORWARD -j DOCKER-ISOLATION-STAGE-1
[11:460] -A DOCKER-FORWARD -m set --match-set docker-ext-bridges-v4 dst -j DOCKER
[20:1000] -A DOCKER-FORWARD -j DOCKER-CT
[11:460] -A DOCKER-FORWARD -j DOCKER-INTERNAL
[11:460] -A DOCKER-FORWARD -j DOCKER-BRIDGE
[4:240] -A DOCKER-FORWARD -i docker0 -j ACCEPT
[0:0] -A DOCKER-FORWARD -i br-1b2c3d4e5f60 -o br-1b2c3d4e5f60 -j ACCEPT
[0:0] -A DOCKER-FORWARD -i docker_gwbridge -o docker_gwbridge -j DROP
[0:0] -A DOCKER-INGRESS -p tcp -m tcp --dport 8080 -j ACCEPT
[0:0] -A DOCKER-INGRESS -p tcp -m tcp --sport 8080 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
[0:0] -A DOCKER-INGRESS -j RETURN
[0:0] -A DOCKER-INTERNAL ! -s 172.20.0.0/16 -o br-0a1b2c3d4e5f -j DROP
[0:0] -A DOCKER-INTERNAL ! -d 172.20.0.0/16 -i br-0a1b2c3d4e5f -j DROP
[4:240] -A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
[0:0] -A DOCKER-ISOLATION-STAGE-1 -i br-1b2c3d4e5f60 ! -o br-1b2c3d4e5f60 -j DOCKER-ISOLATION-STAGE-2
[0:0] -A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
[0:0] -A DOCKER-ISOLATION-STAGE-2 -o br-1b2c3d4e5f60 -j DROP
[2:120] -A DOCKER-USER ! -s 192.0.2.0/24 -i eth0 -m conntrack --ctstate NEW -m comment --comment "only the office" -j DROP
[18:880] -A DOCKER-USER -j RETURN
COMMIT
*nat
:PREROUTING ACCEPT [10:600]
:INPUT ACCEPT [8:480]
:OUTPUT ACCEPT [7:420]
:POSTROUTING ACCEPT [9:540]
:DOCKER - [0:0]
:DOCKER-INGRESS - [0:0]
[6:360] -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER-INGRESS
[6:360] -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
[0:0] -A OUTPUT -m addrtype --dst-type LOCAL -j DOCKER-INGRESS
[0:0] -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
[0:0] -A POSTROUTING -o docker_gwbridge -m addrtype --src-type LOCAL -j MASQUERADE
[4:240] -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
[0:0] -A POSTROUTING -s 172.18.0.0/16 ! -o br-1b2c3d4e5f60 -j SNAT --to-source 192.0.2.7
[0:0] -A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
[0:0] -A DOCKER -i docker0 -j RETURN
[2:120] -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
[0:0] -A DOCKER -d 127.0.0.1/32 ! -i br-1b2c3d4e5f60 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 172.18.0.2:443
[0:0] -A DOCKER ! -i br-1b2c3d4e5f60 -p udp -m udp --dport 5353:5355 -j DNAT --to-destination 172.18.0.2:5353-5355/5353
[0:0] -A DOCKER-INGRESS -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.19.0.2:8080
[6:360] -A DOCKER-INGRESS -j RETURN
COMMIT
`,
  ip6: `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
[0:0] -A PREROUTING -d fd00:d0c:1::2/128 ! -i br-1b2c3d4e5f60 -j DROP
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-BRIDGE - [0:0]
:DOCKER-CT - [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-INTERNAL - [0:0]
:DOCKER-USER - [0:0]
[0:0] -A FORWARD -j DOCKER-USER
[0:0] -A FORWARD -j DOCKER-FORWARD
[0:0] -A DOCKER -d fd00:d0c:1::2/128 ! -i br-1b2c3d4e5f60 -o br-1b2c3d4e5f60 -p tcp -m tcp --dport 80 -j ACCEPT
[0:0] -A DOCKER ! -i br-1b2c3d4e5f60 -o br-1b2c3d4e5f60 -p ipv6-icmp -j ACCEPT
[0:0] -A DOCKER ! -i br-1b2c3d4e5f60 -o br-1b2c3d4e5f60 -j DROP
[0:0] -A DOCKER-BRIDGE -o br-1b2c3d4e5f60 -j DOCKER
[0:0] -A DOCKER-CT -o br-1b2c3d4e5f60 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
[0:0] -A DOCKER-FORWARD -m set --match-set docker-ext-bridges-v6 dst -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
[0:0] -A DOCKER-FORWARD -j DOCKER-CT
[0:0] -A DOCKER-FORWARD -j DOCKER-INTERNAL
[0:0] -A DOCKER-FORWARD -j DOCKER-BRIDGE
[0:0] -A DOCKER-FORWARD -i br-1b2c3d4e5f60 -j ACCEPT
[0:0] -A DOCKER-INTERNAL ! -s fd00:d0c:2::/64 -o br-0a1b2c3d4e5f -j DROP
[0:0] -A DOCKER-INTERNAL ! -d fd00:d0c:2::/64 -i br-0a1b2c3d4e5f -j DROP
[0:0] -A DOCKER-USER -j RETURN
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
[0:0] -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
[0:0] -A OUTPUT ! -d ::1/128 -m addrtype --dst-type LOCAL -j DOCKER
[0:0] -A POSTROUTING -s fd00:d0c:1::/64 ! -o br-1b2c3d4e5f60 -j MASQUERADE
[0:0] -A DOCKER ! -i br-1b2c3d4e5f60 -p tcp -m tcp --dport 8080 -j DNAT --to-destination [fd00:d0c:1::2]:80
COMMIT
`,
} as const

/** In a container's own namespace: Docker's name server, behind other ports than it answers from; a swarm's marks. */
export const container = `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [4:240]
:POSTROUTING ACCEPT [4:240]
:DOCKER_OUTPUT - [0:0]
:DOCKER_POSTROUTING - [0:0]
[4:240] -A OUTPUT -d 127.0.0.11/32 -j DOCKER_OUTPUT
[4:240] -A POSTROUTING -d 127.0.0.11/32 -j DOCKER_POSTROUTING
[0:0] -A DOCKER_OUTPUT -d 127.0.0.11/32 -p tcp -m tcp --dport 53 -j DNAT --to-destination 127.0.0.11:37847
[4:240] -A DOCKER_OUTPUT -d 127.0.0.11/32 -p udp -m udp --dport 53 -j DNAT --to-destination 127.0.0.11:54321
[0:0] -A DOCKER_POSTROUTING -s 127.0.0.11/32 -p tcp -m tcp --sport 37847 -j SNAT --to-source :53
[4:240] -A DOCKER_POSTROUTING -s 127.0.0.11/32 -p udp -m udp --sport 54321 -j SNAT --to-source :53
COMMIT
`
