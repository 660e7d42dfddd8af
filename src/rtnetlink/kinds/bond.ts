/** Several links as one. Source: ip-link(8), Documentation/networking/bonding.rst, linux/if_link.h, linux/if_bonding.h. */
import { bool8, hardwareAddress, ip4, ip6, named, ranged, readOnly, s32, scaled, u16, u32, u8 } from '../../netlink/codecs.ts'
import { flagList, indexedList } from '../../netlink/flags.ts'
import { attributes } from '../../netlink/table.ts'
import * as c from '../constants.ts'
import { linkIndex, linkKind } from './kind.ts'

/** BOND_MAX_ARP_TARGETS, BOND_MAX_NS_TARGETS (include/net/bonding.h). */
const maxTargets = 16

const modes = {
  'balance-rr': c.BOND_MODE_ROUNDROBIN, 'active-backup': c.BOND_MODE_ACTIVEBACKUP, 'balance-xor': c.BOND_MODE_XOR,
  'broadcast': c.BOND_MODE_BROADCAST, '802.3ad': c.BOND_MODE_8023AD, 'balance-tlb': c.BOND_MODE_TLB, 'balance-alb': c.BOND_MODE_ALB,
} as const
const hashPolicies = {
  'layer2': c.BOND_XMIT_POLICY_LAYER2, 'layer3+4': c.BOND_XMIT_POLICY_LAYER34, 'layer2+3': c.BOND_XMIT_POLICY_LAYER23,
  'encap2+3': c.BOND_XMIT_POLICY_ENCAP23, 'encap3+4': c.BOND_XMIT_POLICY_ENCAP34, 'vlan+srcmac': c.BOND_XMIT_POLICY_VLAN_SRCMAC,
} as const
/** Bits 1 active, 2 backup; 4 filters (BOND_ARP_VALIDATE_*, include/net/bonding.h). */
const arpValidations = { none: 0, active: 1, backup: 2, all: 3, filter: 4, filter_active: 5, filter_backup: 6 } as const

export const bondOptions = attributes({
  /** Default `balance-rr`. Only while the bond is down and has no ports. */
  mode: [c.IFLA_BOND_MODE, named(u8, modes)],
  /** The port in use: name or index, 0 for none. Modes active-backup, balance-tlb and balance-alb. */
  activeSlave: [c.IFLA_BOND_ACTIVE_SLAVE, linkIndex],
  /** How often the ports' carrier is looked at; 0: never. Default 0, of 802.3ad, balance-tlb and balance-alb 100. */
  miimonMs: [c.IFLA_BOND_MIIMON, u32],
  /** Wait after a port's carrier came before it is used: a multiple of `miimonMs`. Default 0. */
  updelayMs: [c.IFLA_BOND_UPDELAY, u32],
  /** Wait after a port's carrier went before it is given up: a multiple of `miimonMs`. Default 0. */
  downdelayMs: [c.IFLA_BOND_DOWNDELAY, u32],
  /** Of gratuitous ARPs and neighbour advertisements after a failover: a multiple of `miimonMs`. Default 0. */
  peerNotifyDelayMs: [c.IFLA_BOND_PEER_NOTIF_DELAY, u32],
  /** Carrier as the driver says it, not by MII ioctls. Default true, and since Linux 6.18 always. */
  useCarrier: [c.IFLA_BOND_USE_CARRIER, bool8],
  /** How often targets are asked; 0 (default): never. Not with `miimonMs`. */
  arpIntervalMs: [c.IFLA_BOND_ARP_INTERVAL, u32],
  /** At most 16 IPv4 addresses. */
  arpIpTarget: [c.IFLA_BOND_ARP_IP_TARGET, indexedList(ip4, maxTargets)],
  /** At most 16 IPv6 addresses. */
  nsIp6Target: [c.IFLA_BOND_NS_IP6_TARGET, indexedList(ip6, maxTargets)],
  /** Which answers count. Default `none`. */
  arpValidate: [c.IFLA_BOND_ARP_VALIDATE, named(u32, arpValidations)],
  /** Default `any`. */
  arpAllTargets: [c.IFLA_BOND_ARP_ALL_TARGETS, named(u32, { any: 0, all: 1 })],
  /** Failed questions until a port counts as down, 1 to 255. Default 2. */
  arpMissedMax: [c.IFLA_BOND_MISSED_MAX, ranged(u8, 1, 255)],
  /** The port to prefer: name or index, 0 for none. Modes active-backup, balance-tlb and balance-alb. */
  primary: [c.IFLA_BOND_PRIMARY, linkIndex],
  /** When the primary is taken again. Default `always`. */
  primaryReselect: [c.IFLA_BOND_PRIMARY_RESELECT, named(u8, { always: 0, better: 1, failure: 2 })],
  /** Which MAC addresses ports have. Default `none`: all the bond's. */
  failOverMac: [c.IFLA_BOND_FAIL_OVER_MAC, named(u8, { none: 0, active: 1, follow: 2 })],
  /** What decides which port a packet takes. Default `layer2`. */
  xmitHashPolicy: [c.IFLA_BOND_XMIT_HASH_POLICY, named(u8, hashPolicies)],
  /** IGMP reports after a failover, 0 to 255. Default 1. */
  resendIgmp: [c.IFLA_BOND_RESEND_IGMP, ranged(u32, 0, 255)],
  /** Gratuitous ARPs and neighbour advertisements after a failover, 0 to 255. Default 1. */
  numPeerNotify: [c.IFLA_BOND_NUM_PEER_NOTIF, u8],
  /** Frames on ports that are not in use are taken too. Default false. */
  allSlavesActive: [c.IFLA_BOND_ALL_SLAVES_ACTIVE, bool8],
  /** Ports that must be up for the bond to have a carrier. Default 0, which is as 1. */
  minLinks: [c.IFLA_BOND_MIN_LINKS, u32],
  /** Between learning packets to the switches: whole seconds in milliseconds. Default 1000. */
  lpIntervalMs: [c.IFLA_BOND_LP_INTERVAL, scaled(u32, 1000)],
  /** Mode balance-rr: packets by one port before the next; 0: at random. Default 1. */
  packetsPerSlave: [c.IFLA_BOND_PACKETS_PER_SLAVE, ranged(u32, 0, 0xffff)],
  /** Mode 802.3ad: asks for a LACP packet every 30 s (`slow`, default) or every second. */
  lacpRate: [c.IFLA_BOND_AD_LACP_RATE, named(u8, { slow: 0, fast: 1 })],
  /** Mode 802.3ad: LACP packets are sent unasked. Default true. */
  lacpActive: [c.IFLA_BOND_AD_LACP_ACTIVE, bool8],
  /** Mode 802.3ad: which aggregator is used. Default `stable`. */
  adSelect: [c.IFLA_BOND_AD_SELECT, named(u8, { stable: 0, bandwidth: 1, count: 2 })],
  /** Mode 802.3ad: 1 to 65535. Default 65535. */
  adActorSysPrio: [c.IFLA_BOND_AD_ACTOR_SYS_PRIO, ranged(u16, 1, 0xffff)],
  /** Mode 802.3ad: 0 to 1023. Default 0. */
  adUserPortKey: [c.IFLA_BOND_AD_USER_PORT_KEY, ranged(u16, 0, 1023)],
  /** Mode 802.3ad: system id; default: the bond's MAC address. */
  adActorSystem: [c.IFLA_BOND_AD_ACTOR_SYSTEM, hardwareAddress],
  /** Mode 802.3ad. */
  adInfo: [c.IFLA_BOND_AD_INFO, readOnly(attributes({
    aggregator: [c.IFLA_BOND_AD_INFO_AGGREGATOR, u16],
    numPorts: [c.IFLA_BOND_AD_INFO_NUM_PORTS, u16],
    actorKey: [c.IFLA_BOND_AD_INFO_ACTOR_KEY, u16],
    partnerKey: [c.IFLA_BOND_AD_INFO_PARTNER_KEY, u16],
    partnerMac: [c.IFLA_BOND_AD_INFO_PARTNER_MAC, hardwareAddress],
  }))],
  /** Mode 802.3ad: collecting and distributing are one state. Default true. */
  coupledControl: [c.IFLA_BOND_COUPLED_CONTROL, bool8],
  /** Mode 802.3ad: ARP and NDP packets go out by all ports. Default false. */
  broadcastNeighbor: [c.IFLA_BOND_BROADCAST_NEIGH, bool8],
  /** Mode balance-tlb: by load, not by hash. Default true. */
  tlbDynamicLb: [c.IFLA_BOND_TLB_DYNAMIC_LB, bool8],
})

const lacpStates = {
  activity: c.LACP_STATE_LACP_ACTIVITY, timeout: c.LACP_STATE_LACP_TIMEOUT, aggregation: c.LACP_STATE_AGGREGATION,
  synchronization: c.LACP_STATE_SYNCHRONIZATION, collecting: c.LACP_STATE_COLLECTING, distributing: c.LACP_STATE_DISTRIBUTING,
  defaulted: c.LACP_STATE_DEFAULTED, expired: c.LACP_STATE_EXPIRED,
} as const

export const bondPortOptions = attributes({
  state: [c.IFLA_BOND_SLAVE_STATE, readOnly(named(u8, { active: c.BOND_STATE_ACTIVE, backup: c.BOND_STATE_BACKUP }))],
  miiStatus: [c.IFLA_BOND_SLAVE_MII_STATUS, readOnly(named(u8, {
    'up': c.BOND_LINK_UP, 'going down': c.BOND_LINK_FAIL, 'down': c.BOND_LINK_DOWN, 'going back': c.BOND_LINK_BACK,
  }))],
  linkFailureCount: [c.IFLA_BOND_SLAVE_LINK_FAILURE_COUNT, readOnly(u32)],
  permHwaddr: [c.IFLA_BOND_SLAVE_PERM_HWADDR, readOnly(hardwareAddress)],
  /** The queue of the bond whose packets go by this port; 0 (default): none. */
  queueId: [c.IFLA_BOND_SLAVE_QUEUE_ID, u16],
  /** Of two ports that could be used, that with the greater is. Default 0. */
  prio: [c.IFLA_BOND_SLAVE_PRIO, s32],
  /** Mode 802.3ad: its priority, for the partner; lower is better. Default 255. */
  actorPortPrio: [c.IFLA_BOND_SLAVE_ACTOR_PORT_PRIO, u16],
  adAggregatorId: [c.IFLA_BOND_SLAVE_AD_AGGREGATOR_ID, readOnly(u16)],
  adActorOperPortState: [c.IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE, readOnly(flagList(u8, lacpStates))],
  adPartnerOperPortState: [c.IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE, readOnly(flagList(u16, lacpStates))],
})

export const bond = linkKind({
  options: bondOptions,
  config: 'CONFIG_BONDING',
  needs: {
    lacpActive: { since: '5.15' }, arpMissedMax: { since: '5.17' }, nsIp6Target: { since: '5.18' }, coupledControl: { since: '6.9' },
    broadcastNeighbor: { since: '6.17' },
  },
})
