/** Every number that we took from a kernel header, against that header. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import * as netlink from '../../src/netlink/constants.ts'
import * as nftables from '../../src/nftables/constants.ts'
import * as iptables from '../../src/nftables/iptables/constants.ts'
import * as rtnetlink from '../../src/rtnetlink/constants.ts'
import { run, tryRun } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'

/** In this order they compile together: glibc's own first, so that the kernel's leave out what it has. */
const headers = [
  'stdio.h', 'sys/socket.h', 'netinet/in.h', 'linux/if.h', 'linux/if_arp.h', 'linux/if_addr.h', 'linux/if_link.h', 'linux/if_tun.h',
  'linux/if_vlan.h', 'linux/if_bonding.h', 'linux/ip.h', 'linux/ipv6.h', 'linux/if_tunnel.h', 'linux/ip6_tunnel.h',
  'linux/net_namespace.h', 'linux/if_bridge.h', 'linux/veth.h', 'linux/netlink.h', 'linux/rtnetlink.h', 'linux/neighbour.h', 'linux/pkt_sched.h', 'linux/pkt_cls.h',
  'linux/gen_stats.h', 'linux/tc_act/tc_mirred.h', 'linux/tc_act/tc_gact.h', 'linux/netfilter.h', 'linux/netfilter_ipv4.h',
  'linux/netfilter/nfnetlink.h', 'linux/netfilter/nfnetlink_cttimeout.h', 'linux/netfilter/nf_log.h', 'linux/netfilter/nf_synproxy.h',
  'linux/netfilter/nf_tables.h', 'linux/netfilter/nf_tables_compat.h', 'linux/netfilter/nf_nat.h',
  'linux/nexthop.h', 'linux/fib_rules.h', 'linux/lwtunnel.h', 'linux/mpls_iptunnel.h', 'linux/seg6_iptunnel.h', 'linux/icmpv6.h',
  'linux/netfilter/xt_conntrack.h', 'linux/netfilter/xt_CHECKSUM.h', 'linux/netfilter/xt_tcpudp.h', 'linux/netfilter/xt_comment.h',
  ...[
    'sctp', 'multiport', 'esp', 'addrtype', 'limit', 'hashlimit', 'connlimit', 'statistic', 'quota', 'recent', 'iprange', 'owner', 'physdev',
    'socket', 'rpfilter', 'connmark', 'CT', 'LOG', 'NFLOG', 'NFQUEUE', 'TCPMSS', 'devgroup', 'string', 'dscp', 'ecn', 'ipcomp', 'dccp',
    'time', 'u32', 'bpf', 'cgroup', 'osf', 'policy', 'rateest', 'connlabel', 'cluster', 'ipvs', 'AUDIT', 'CONNSECMARK', 'SECMARK', 'HMARK', 'IDLETIMER', 'SYNPROXY',
  ].map(name => `linux/netfilter/xt_${name}.h`),
  'linux/netfilter/ipset/ip_set.h', 'linux/netfilter/nfnetlink_acct.h', 'linux/netfilter_ipv4/ipt_ecn.h', 'linux/netfilter_ipv4/ipt_ECN.h', 'linux/netfilter_ipv4/ipt_CLUSTERIP.h',
  ...['ah', 'opts', 'frag', 'rt', 'mh', 'srh'].map(name => `linux/netfilter_ipv6/ip6t_${name}.h`),
]

/** Names that headers of Linux 5.10, which long-lived distributions keep, lack: the release that has them first. */
const mayLack: Record<string, string> = {
  NFTA_TABLE_OWNER: '5.12',
  NFT_TABLE_F_OWNER: '5.12',
  NFTA_SET_ELEM_EXPRESSIONS: '5.11',
  NFTA_SET_EXPRESSIONS: '5.11',
  NFTA_DYNSET_EXPRESSIONS: '5.11',
  NFT_SET_ELEM_CATCHALL: '5.13',
  NFTA_SOCKET_LEVEL: '5.13',
  NFTA_LAST_SET: '5.14',
  NFTA_LAST_MSECS: '5.14',
  NFT_TABLE_F_PERSIST: '6.9',
  NFT_MSG_GETRULE_RESET: '6.2',
  NFT_MSG_DESTROYTABLE: '6.3',
  NFT_MSG_DESTROYCHAIN: '6.3',
  NFT_MSG_DESTROYRULE: '6.3',
  NFT_MSG_DESTROYSET: '6.3',
  NFT_MSG_DESTROYSETELEM: '6.3',
  NFT_MSG_DESTROYOBJ: '6.3',
  NFT_MSG_DESTROYFLOWTABLE: '6.3',
  NFT_MSG_GETSETELEM_RESET: '6.5',
  NFTA_INNER_NUM: '6.2',
  NFTA_INNER_TYPE: '6.2',
  NFTA_INNER_FLAGS: '6.2',
  NFTA_INNER_HDRSIZE: '6.2',
  NFTA_INNER_EXPR: '6.2',
  NFTA_BITWISE_SREG2: '6.13',
  NFTA_SET_TYPE: '6.16',
  NFTA_SET_COUNT: '6.16',
  IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT: '5.12',
  IFLA_BRPORT_MCAST_EHT_HOSTS_CNT: '5.12',
  IFLA_PARENT_DEV_NAME: '5.14',
  IFLA_PARENT_DEV_BUS_NAME: '5.14',
  IFLA_BR_MCAST_QUERIER_STATE: '5.15',
  IFLA_GRO_MAX_SIZE: '5.17',
  IFLA_BRPORT_LOCKED: '5.18',
  IFA_PROTO: '5.18',
  IFAPROT_UNSPEC: '5.18',
  IFAPROT_KERNEL_LO: '5.18',
  IFAPROT_KERNEL_RA: '5.18',
  IFAPROT_KERNEL_LL: '5.18',
  NHA_RES_GROUP: '5.13',
  NHA_RES_BUCKET: '5.13',
  NEXTHOP_GRP_TYPE_RES: '5.13',
  NHA_RES_GROUP_BUCKETS: '5.13',
  NHA_RES_GROUP_IDLE_TIMER: '5.13',
  NHA_RES_GROUP_UNBALANCED_TIMER: '5.13',
  NHA_RES_GROUP_UNBALANCED_TIME: '5.13',
  NHA_RES_BUCKET_INDEX: '5.13',
  NHA_RES_BUCKET_IDLE_TIME: '5.13',
  NHA_RES_BUCKET_NH_ID: '5.13',
  RTM_NEWNEXTHOPBUCKET: '5.13',
  RTM_GETNEXTHOPBUCKET: '5.13',
  NHA_OP_FLAGS: '6.9',
  NHA_GROUP_STATS: '6.9',
  NHA_HW_STATS_ENABLE: '6.9',
  NHA_HW_STATS_USED: '6.9',
  NHA_GROUP_STATS_ENTRY: '6.9',
  NHA_GROUP_STATS_ENTRY_ID: '6.9',
  NHA_GROUP_STATS_ENTRY_PACKETS: '6.9',
  NHA_GROUP_STATS_ENTRY_PACKETS_HW: '6.9',
  NHA_OP_FLAG_DUMP_STATS: '6.9',
  NHA_OP_FLAG_DUMP_HW_STATS: '6.9',
  FRA_DSCP: '6.12',
  FRA_FLOWLABEL: '6.14',
  FRA_FLOWLABEL_MASK: '6.14',
  FRA_SPORT_MASK: '6.15',
  FRA_DPORT_MASK: '6.15',
  FRA_DSCP_MASK: '6.15',
  RTA_FLOWLABEL: '6.14',
  RTAX_FEATURE_TCP_USEC_TS: '6.7',
  RTPROT_OVN: '6.16',
  LWTUNNEL_ENCAP_IOAM6: '5.15',
  LWTUNNEL_ENCAP_XFRM: '6.1',
  SEG6_IPTUN_MODE_ENCAP_RED: '6.0',
  SEG6_IPTUN_MODE_L2ENCAP_RED: '6.0',
  IFLA_TSO_MAX_SIZE: '5.19',
  IFLA_TSO_MAX_SEGS: '5.19',
  IFLA_ALLMULTI: '6.0',
  IFLA_BRPORT_MAB: '6.2',
  IFLA_BRPORT_MCAST_N_GROUPS: '6.3',
  IFLA_BRPORT_MCAST_MAX_GROUPS: '6.3',
  IFLA_BRPORT_NEIGH_VLAN_SUPPRESS: '6.4',
  IFLA_BRPORT_BACKUP_NHID: '6.6',
  IFLA_BR_FDB_N_LEARNED: '6.7',
  IFLA_BR_FDB_MAX_LEARNED: '6.7',
  BR_BOOLOPT_MCAST_VLAN_SNOOPING: '5.15',
  BRIDGE_QUERIER_IP_ADDRESS: '5.15',
  BRIDGE_QUERIER_IP_PORT: '5.15',
  BRIDGE_QUERIER_IP_OTHER_TIMER: '5.15',
  BRIDGE_QUERIER_IPV6_ADDRESS: '5.15',
  BRIDGE_QUERIER_IPV6_PORT: '5.15',
  BRIDGE_QUERIER_IPV6_OTHER_TIMER: '5.15',
  BR_BOOLOPT_MST_ENABLE: '5.18',
  BR_BOOLOPT_MDB_OFFLOAD_FAIL_NOTIFICATION: '6.16',
  BR_BOOLOPT_FDB_LOCAL_VLAN_0: '6.18',
  IFLA_MACVLAN_BC_QUEUE_LEN: '5.11',
  IFLA_MACVLAN_BC_QUEUE_LEN_USED: '5.11',
  IFLA_MACVLAN_BC_CUTOFF: '6.4',
  MACVLAN_FLAG_NODST: '5.13',
  IFLA_VXLAN_VNIFILTER: '5.18',
  IFLA_VXLAN_LOCALBYPASS: '6.5',
  IFLA_VXLAN_LABEL_POLICY: '6.8',
  IFLA_VXLAN_RESERVED_BITS: '6.14',
  IFLA_VXLAN_MC_ROUTE: '6.17',
  VXLAN_LABEL_FIXED: '6.8',
  VXLAN_LABEL_INHERIT: '6.8',
  VXLAN_VNIFILTER_ENTRY: '5.18',
  VXLAN_VNIFILTER_ENTRY_START: '5.18',
  VXLAN_VNIFILTER_ENTRY_END: '5.18',
  VXLAN_VNIFILTER_ENTRY_GROUP: '5.18',
  VXLAN_VNIFILTER_ENTRY_GROUP6: '5.18',
  VXLAN_VNIFILTER_ENTRY_STATS: '5.18',
  VNIFILTER_ENTRY_STATS_RX_BYTES: '5.18',
  VNIFILTER_ENTRY_STATS_RX_PKTS: '5.18',
  VNIFILTER_ENTRY_STATS_RX_DROPS: '5.18',
  VNIFILTER_ENTRY_STATS_RX_ERRORS: '5.18',
  VNIFILTER_ENTRY_STATS_TX_BYTES: '5.18',
  VNIFILTER_ENTRY_STATS_TX_PKTS: '5.18',
  VNIFILTER_ENTRY_STATS_TX_DROPS: '5.18',
  VNIFILTER_ENTRY_STATS_TX_ERRORS: '5.18',
  TUNNEL_MSG_FLAG_STATS: '5.18',
  RTM_NEWTUNNEL: '5.18',
  RTM_DELTUNNEL: '5.18',
  RTM_GETTUNNEL: '5.18',
  IFLA_GENEVE_INNER_PROTO_INHERIT: '5.18',
  IFLA_GENEVE_PORT_RANGE: '6.15',
  IFLA_BOND_AD_LACP_ACTIVE: '5.15',
  IFLA_BOND_MISSED_MAX: '5.17',
  IFLA_BOND_NS_IP6_TARGET: '5.18',
  IFLA_BOND_COUPLED_CONTROL: '6.9',
  IFLA_BOND_BROADCAST_NEIGH: '6.17',
  IFLA_BOND_SLAVE_PRIO: '6.0',
  IFLA_BOND_SLAVE_ACTOR_PORT_PRIO: '6.18',
  BOND_XMIT_POLICY_VLAN_SRCMAC: '5.12',
  IFLA_NETKIT_PEER_INFO: '6.7',
  IFLA_NETKIT_PRIMARY: '6.7',
  IFLA_NETKIT_POLICY: '6.7',
  IFLA_NETKIT_PEER_POLICY: '6.7',
  IFLA_NETKIT_MODE: '6.7',
  IFLA_NETKIT_SCRUB: '6.13',
  IFLA_NETKIT_PEER_SCRUB: '6.13',
  IFLA_NETKIT_HEADROOM: '6.14',
  IFLA_NETKIT_TAILROOM: '6.14',
  NETKIT_SCRUB_NONE: '6.13',
  NETKIT_SCRUB_DEFAULT: '6.13',
  NETKIT_L2: '6.7',
  NETKIT_L3: '6.7',
  NETKIT_PASS: '6.7',
  NETKIT_DROP: '6.7',
  IFLA_GSO_IPV4_MAX_SIZE: '6.3',
  IFLA_GRO_IPV4_MAX_SIZE: '6.3',
  IFLA_NETNS_IMMUTABLE: '6.15',
  IFLA_HEADROOM: '6.18',
  IFLA_TAILROOM: '6.18',
  IFLA_INET6_RA_MTU: '5.15',
  IPV4_DEVCONF_ARP_EVICT_NOCARRIER: '5.16',
  DEVCONF_RA_DEFRTR_METRIC: '5.12',
  DEVCONF_IOAM6_ENABLED: '5.15',
  DEVCONF_IOAM6_ID: '5.15',
  DEVCONF_IOAM6_ID_WIDE: '5.15',
  DEVCONF_NDISC_EVICT_NOCARRIER: '5.16',
  DEVCONF_ACCEPT_UNTRACKED_NA: '5.19',
  DEVCONF_ACCEPT_RA_MIN_LFT: '6.6',
  NDA_FDB_EXT_ATTRS: '5.14',
  NFEA_ACTIVITY_NOTIFY: '5.14',
  NFEA_DONT_REFRESH: '5.14',
  FDB_NOTIFY_BIT: '5.14',
  FDB_NOTIFY_INACTIVE_BIT: '5.14',
  NDA_FLAGS_EXT: '5.16',
  NTF_EXT_MANAGED: '5.16',
  NTF_EXT_LOCKED: '6.2',
  NDA_NDM_STATE_MASK: '5.19',
  NDA_NDM_FLAGS_MASK: '5.19',
  NLM_F_BULK: '5.19',
  MDBA_ROUTER_PATTR_VID: '5.15',
  MDBA_MDB_EATTR_DST: '6.4',
  MDBA_MDB_EATTR_DST_PORT: '6.4',
  MDBA_MDB_EATTR_VNI: '6.4',
  MDBA_MDB_EATTR_IFINDEX: '6.4',
  MDBA_MDB_EATTR_SRC_VNI: '6.4',
  MDB_FLAGS_OFFLOAD_FAILED: '6.16',
  MDBA_GET_ENTRY: '6.7',
  MDBA_GET_ENTRY_ATTRS: '6.7',
  MDBE_ATTR_SRC_LIST: '6.2',
  MDBE_ATTR_GROUP_MODE: '6.2',
  MDBE_ATTR_RTPROT: '6.2',
  MDBE_ATTR_DST: '6.4',
  MDBE_ATTR_DST_PORT: '6.4',
  MDBE_ATTR_VNI: '6.4',
  MDBE_ATTR_IFINDEX: '6.4',
  MDBE_ATTR_SRC_VNI: '6.4',
  MDBE_ATTR_STATE_MASK: '6.8',
  MDBE_SRC_LIST_ENTRY: '6.2',
  MDBE_SRCATTR_ADDRESS: '6.2',
  BRIDGE_VLANDB_ENTRY_MCAST_N_GROUPS: '6.3',
  BRIDGE_VLANDB_ENTRY_MCAST_MAX_GROUPS: '6.3',
  BRIDGE_VLANDB_ENTRY_NEIGH_SUPPRESS: '6.4',
  BRIDGE_VLANDB_GOPTS_ID: '5.15',
  BRIDGE_VLANDB_GLOBAL_OPTIONS: '5.15',
  BRIDGE_VLANDB_DUMPF_GLOBAL: '5.15',
  BRIDGE_VLANDB_GOPTS_RANGE: '5.15',
  BRIDGE_VLANDB_GOPTS_MCAST_SNOOPING: '5.15',
  BRIDGE_VLANDB_GOPTS_MCAST_IGMP_VERSION: '5.15',
  BRIDGE_VLANDB_GOPTS_MCAST_MLD_VERSION: '5.15',
  BRIDGE_VLANDB_GOPTS_MCAST_LAST_MEMBER_CNT: '5.15',
  BRIDGE_VLANDB_GOPTS_MCAST_STARTUP_QUERY_CNT: '5.15',
  BRIDGE_VLANDB_GOPTS_MCAST_LAST_MEMBER_INTVL: '5.15',
  BRIDGE_VLANDB_GOPTS_MCAST_MEMBERSHIP_INTVL: '5.15',
  BRIDGE_VLANDB_GOPTS_MCAST_QUERIER_INTVL: '5.15',
  BRIDGE_VLANDB_GOPTS_MCAST_QUERY_INTVL: '5.15',
  BRIDGE_VLANDB_GOPTS_MCAST_QUERY_RESPONSE_INTVL: '5.15',
  BRIDGE_VLANDB_GOPTS_MCAST_STARTUP_QUERY_INTVL: '5.15',
  BRIDGE_VLANDB_GOPTS_MCAST_QUERIER: '5.15',
  BRIDGE_VLANDB_GOPTS_MCAST_ROUTER_PORTS: '5.15',
  BRIDGE_VLANDB_GOPTS_MCAST_QUERIER_STATE: '5.15',
  MDBA_ROUTER_PATTR_INET_TIMER: '5.14',
  MDBA_ROUTER_PATTR_INET6_TIMER: '5.14',
  TCA_HTB_OFFLOAD: '5.11',
  TCA_POLICE_PKTRATE64: '5.13',
  TCA_POLICE_PKTBURST64: '5.13',
  TCA_FQ_CODEL_CE_THRESHOLD_SELECTOR: '5.16',
  TCA_FQ_CODEL_CE_THRESHOLD_MASK: '5.16',
  BRIDGE_VLANDB_GOPTS_MSTI: '5.18',
  BRIDGE_VLANDB_ENTRY_MCAST_ROUTER: '5.15',
}

/** Where our number is the header's in another C type. */
const written: Record<string, string> = {
  // `~(NLA_F_NESTED | NLA_F_NET_BYTEORDER)`, an int there; nla_type has 16 bits.
  NLA_TYPE_MASK: '(unsigned short)NLA_TYPE_MASK',
}

type Constants = Record<string, unknown>

/** What is wrong with constants, one line each: `IFLA_MTU: 5, but 4 in the header`. */
async function compare(constants: Constants, allowed: Record<string, string> = {}): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'virbr-constants-'))
  try {
    const compile = async (names: string[]): Promise<{ status: number, stderr: string }> => {
      const lines = names.map(name => `  printf("%s %lld\\n", "${name}", (long long)(${written[name] ?? name}));`)
      const source = [...headers.map(header => `#include <${header}>`), 'int main(void) {', ...lines, '}', ''].join('\n')
      await writeFile(join(folder, 'print.c'), source)
      return tryRun('cc', ['-w', '-fmax-errors=0', '-o', join(folder, 'print'), join(folder, 'print.c')])
    }
    const names = Object.keys(constants)
    let { status, stderr } = await compile(names)
    const lacking = new Set([...stderr.matchAll(/error: .(\w+). undeclared/g)].map(([, name]) => name ?? ''))
    if (lacking.size > 0) ({ status, stderr } = await compile(names.filter(name => !lacking.has(name))))
    if (status !== 0) throw new Error(stderr)
    const inHeader = new Map((await run(join(folder, 'print'), [])).trim().split('\n').map(line => {
      const [name = '', value] = line.split(' ')
      return [name, Number(value)]
    }))
    return names.flatMap(name => {
      const [ours, theirs] = [constants[name], inHeader.get(name)]
      if (theirs === undefined) return Object.hasOwn(allowed, name) ? [] : [`${name}: not in the headers`]
      return ours === theirs ? [] : [`${name}: ${String(ours)}, but ${theirs} in the header`]
    })
  } finally {
    await rm(folder, { recursive: true })
  }
}

const { test } = needing(needs.tool('cc'), needs.file('/usr/include/linux/netfilter/nf_tables.h'))

test.each<[string, Constants]>([
  ['netlink', netlink], ['rtnetlink', rtnetlink], ['nf_tables', nftables], ['iptables', iptables],
])('%s', async (_, constants) => {
  expect(Object.keys(constants).length).toBeGreaterThan(20)
  expect(await compare(constants, mayLack)).toEqual([])
})

test('a wrong number and a name of our own invention are found', async () => {
  expect(await compare({ IFLA_MTU: 5, IFLA_MTV: 4, IFLA_IFNAME: 3, NFT_RETURN: 5 }, { IFLA_MTV: '' })).toEqual([
    'IFLA_MTU: 5, but 4 in the header', 'NFT_RETURN: 5, but -5 in the header',
  ])
  expect(await compare({ IFLA_MTV: 4, IFLA_IFNAME: 3 })).toEqual(['IFLA_MTV: not in the headers'])
})
