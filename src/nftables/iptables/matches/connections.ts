/** What a packet's connection is. Sources: linux/netfilter/xt_helper.h, xt_connlabel.h, xt_cluster.h, xt_ipvs.h. */
import { be16, padding, u16, u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { hostText, toHost } from '../addresses.ts'
import { notBits, readBits, saidBits } from '../bits.ts'
import * as c from '../constants.ts'
import { bang, extension, negatable, listSaid, option, says, saysIf } from '../extension.ts'
import type { Extension, Said } from '../extension.ts'
import { protocol } from '../protocols.ts'
import { flag, hexadecimal, integer, masked, oneOf, text } from '../values.ts'
import type { Kind } from '../values.ts'
import { fixedText, inetAddress } from '../xt.ts'

const helperOptions = { helper: negatable(text(29)) }

export const helper: Extension<typeof helperOptions> = extension({
  name: 'helper',
  options: helperOptions,
  layout: struct({ invert: u32, name: fixedText(30), _: padding(2) }),
  check: given => (given.helper === undefined ? ['helper', helperOptions.helper.kind.accepted] : undefined),
  write: ({ helper: said }) => ({ invert: said?.not === true ? 1 : 0, name: said?.value }),
  read: ({ invert, name }) => ({ helper: says(name, invert !== 0) }),
  list: ({ helper: said }) => `helper match ${bang(said, ' ')}"${said?.value ?? ''}"`,
})

const label: Kind<number> = { ...integer(0, c.XT_CONNLABEL_MAXBIT), format: bit => `"${bit}"` }
const labelOptions = { label: negatable(label), set: option(flag) }

/** A label of the connection, by its bit; `set` puts it on. Names are connlabel.conf's, which is not read. */
export const connlabel: Extension<typeof labelOptions> = extension({
  name: 'connlabel',
  options: labelOptions,
  layout: struct({ bit: u16, options: u16 }),
  check: given => (given.label === undefined ? ['label', label.accepted] : undefined),
  write: ({ label: said, set }) => ({
    bit: said?.value, options: (said?.not === true ? c.XT_CONNLABEL_OP_INVERT : 0) | (set === undefined ? 0 : c.XT_CONNLABEL_OP_SET),
  }),
  read: ({ bit, options }) => ({
    label: says(bit, (options & c.XT_CONNLABEL_OP_INVERT) !== 0), set: saysIf((options & c.XT_CONNLABEL_OP_SET) !== 0, true as const),
  }),
  list: ({ label: said, set }) => `connlabel ${bang(said, ' ')}${said?.value ?? 0}${set === undefined ? '' : ' set'}`,
})

const node = integer(1, c.XT_CLUSTER_NODES_MAX)
const mask32 = hexadecimal(0xffffffff, 8)
const clusterOptions = {
  clusterLocalNodemask: negatable(mask32),
  clusterLocalNode: {
    ...negatable(node),
    means: ({ not, value }: Said<number>) => ({ clusterLocalNodemask: says((1 << value - 1) >>> 0, not) }),
  },
  clusterTotalNodes: option(node),
  clusterHashSeed: option(mask32),
}

/** Whether a connection is this node's, of a cluster whose nodes all get all packets. */
export const cluster: Extension<typeof clusterOptions> = extension({
  name: 'cluster',
  options: clusterOptions,
  layout: struct({ totalNodes: u32, nodeMask: u32, hashSeed: u32, flags: u32 }),
  check({ clusterLocalNodemask, clusterTotalNodes, clusterHashSeed }) {
    if (clusterTotalNodes === undefined) return ['clusterTotalNodes', node.accepted]
    if (clusterLocalNodemask === undefined) return ['clusterLocalNode', 'clusterLocalNode or clusterLocalNodemask']
    if (clusterHashSeed === undefined) return ['clusterHashSeed', mask32.accepted]
    const { value: mask } = clusterLocalNodemask
    return mask > 0 && mask < 2 ** clusterTotalNodes.value ? undefined
      : ['clusterLocalNode', `some of the nodes, which are those from 1 to ${clusterTotalNodes.value}`]
  },
  write: ({ clusterLocalNodemask, clusterTotalNodes, clusterHashSeed }) => ({
    totalNodes: clusterTotalNodes?.value, nodeMask: clusterLocalNodemask?.value, hashSeed: clusterHashSeed?.value,
    flags: clusterLocalNodemask?.not === true ? c.XT_CLUSTER_F_INV : 0,
  }),
  read: ({ totalNodes, nodeMask, hashSeed, flags }) => ({
    clusterLocalNodemask: says(nodeMask, (flags & c.XT_CLUSTER_F_INV) !== 0),
    clusterTotalNodes: says(totalNodes), clusterHashSeed: says(hashSeed),
  }),
  list: ({ clusterLocalNodemask, clusterTotalNodes, clusterHashSeed }) =>
    `cluster ${bang(clusterLocalNodemask)}node_mask=${mask32.format(clusterLocalNodemask?.value ?? 0)} ` +
    `total_nodes=${clusterTotalNodes?.value ?? 0} hash_seed=${mask32.format(clusterHashSeed?.value ?? 0)}`,
})

/** IP_VS_CONN_F_* of linux/ip_vs.h. */
const ipvsMethods = { GATE: 3, IPIP: 2, MASQ: 0 } as const
const methodNames = Object.keys(ipvsMethods) as (keyof typeof ipvsMethods)[]
const onePort = negatable(integer(0, 0xffff))
const ipvsOptions = {
  ipvs: negatable(flag), vproto: negatable(protocol), vaddr: negatable(masked({ whole: false })), vport: onePort,
  vdir: option(oneOf('ORIGINAL', 'REPLY')), vmethod: negatable(oneOf(...methodNames)), vportctl: onePort,
}
const ipvsBits = {
  ipvs: c.XT_IPVS_IPVS_PROPERTY, vproto: c.XT_IPVS_PROTO, vaddr: c.XT_IPVS_VADDR, vport: c.XT_IPVS_VPORT, vdir: c.XT_IPVS_DIR,
  vmethod: c.XT_IPVS_METHOD, vportctl: c.XT_IPVS_VPORTCTL,
} as const
/** An inverted direction is the other one, not a negated one. */
const { vdir: _direction, ...ipvsNotBits } = ipvsBits

/** What IPVS knows of a packet's connection: the service that it is for, and how it is forwarded. */
export const ipvs: Extension<typeof ipvsOptions> = extension({
  name: 'ipvs',
  options: ipvsOptions,
  layout: struct({
    vaddr: inetAddress, vmask: inetAddress, vport: be16, protocol: u8, method: u8, vportctl: be16, invert: u8, bitmask: u8,
  }),
  check(given) {
    const others = Object.keys(ipvsBits).some(field => field !== 'ipvs' && given[field as keyof typeof given] !== undefined)
    if (!others && given.ipvs === undefined) return ['ipvs', 'at least one option of ipvs']
    return others && given.ipvs?.not === true ? ['ipvs', 'no ! beside other options'] : undefined
  },
  write(given, { family }) {
    const address = given.vaddr === undefined ? undefined : toHost(given.vaddr.value, family)
    const reply = given.vdir?.value === 'REPLY' ? c.XT_IPVS_DIR : 0
    return {
      vaddr: address?.address, vmask: address?.mask, vport: given.vport?.value, protocol: given.vproto?.value,
      method: given.vmethod === undefined ? 0 : ipvsMethods[given.vmethod.value], vportctl: given.vportctl?.value,
      invert: notBits(ipvsBits, given) | reply, bitmask: saidBits(ipvsBits, given) | c.XT_IPVS_IPVS_PROPERTY,
    }
  },
  read({ vaddr, vmask, vport, protocol: number, method, vportctl, invert, bitmask }, { family }) {
    const said = readBits([ipvsBits, bitmask], [ipvsNotBits, invert])
    const name = methodNames.find(each => ipvsMethods[each] === method)
    if (name === undefined) return undefined
    return {
      ipvs: bitmask === c.XT_IPVS_IPVS_PROPERTY ? said('ipvs', true) : undefined, vproto: said('vproto', number),
      vaddr: said('vaddr', hostText(vaddr, vmask, family)), vport: said('vport', vport),
      vdir: said('vdir', (invert & c.XT_IPVS_DIR) === 0 ? 'ORIGINAL' : 'REPLY'), vmethod: said('vmethod', name),
      vportctl: said('vportctl', vportctl),
    }
  },
  list: given => listSaid(ipvsOptions, given),
})
