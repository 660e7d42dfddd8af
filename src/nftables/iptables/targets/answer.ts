/** Answering in another's place. Sources: linux/netfilter/xt_SYNPROXY.h, nf_synproxy.h, linux/netfilter_ipv4/ipt_CLUSTERIP.h. */
import { padding, u16, u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { readBits, saidBits } from '../bits.ts'
import * as c from '../constants.ts'
import { extension, option, says } from '../extension.ts'
import type { Extension } from '../extension.ts'
import { flag, integer, macAddress, oneOf } from '../values.ts'
import { array, bytes } from '../xt.ts'

const synproxyOptions = {
  sackPerm: option(flag), timestamp: option(flag), wscale: option(integer(0, 14)), mss: option(integer(0, 0xffff)), ecn: option(flag),
}
const synproxyBits = {
  sackPerm: c.XT_SYNPROXY_OPT_SACK_PERM, timestamp: c.XT_SYNPROXY_OPT_TIMESTAMP, wscale: c.XT_SYNPROXY_OPT_WSCALE,
  mss: c.XT_SYNPROXY_OPT_MSS, ecn: c.XT_SYNPROXY_OPT_ECN,
} as const

/** Answers SYNs by itself, and opens the connection to the server when the client has shown that it is there. */
export const SYNPROXY: Extension<typeof synproxyOptions> = extension({
  name: 'SYNPROXY',
  options: synproxyOptions,
  protocols: [6],
  layout: struct({ options: u8, wscale: u8, mss: u16 }),
  write: given => ({ options: saidBits(synproxyBits, given), wscale: given.wscale?.value, mss: given.mss?.value }),
  read({ options, wscale, mss }) {
    const said = readBits([synproxyBits, options])
    return {
      sackPerm: said('sackPerm', true as const), timestamp: said('timestamp', true as const), wscale: said('wscale', wscale),
      mss: said('mss', mss), ecn: said('ecn', true as const),
    }
  },
  list: ({ sackPerm, timestamp, wscale, mss, ecn }) => [
    'SYNPROXY ', ...(sackPerm === undefined ? [] : ['sack-perm ']), ...(timestamp === undefined ? [] : ['timestamp ']),
    ...(wscale === undefined ? [] : [`wscale ${wscale.value} `]), ...(mss === undefined ? [] : [`mss ${mss.value} `]),
    ...(ecn === undefined ? [] : ['ecn ']),
  ].join(''),
})

/** CLUSTERIP_HASHMODE_* by number. */
const hashModes = ['sourceip', 'sourceip-sourceport', 'sourceip-sourceport-destport'] as const
const node = integer(1, c.CLUSTERIP_MAX_NODES)
const clusterMac = {
  ...macAddress,
  accepted: 'a multicast MAC address like 01:00:5e:00:01:01',
  parse: (value: string) => (parseInt(value, 16) % 2 === 1 ? macAddress.parse(value, { family: 'ip' as const }) : undefined),
  format: (value: string) => value.toUpperCase(),
}
const clusteripOptions = {
  new: option(flag), hashmode: option(oneOf(...hashModes)), clustermac: option(clusterMac), totalNodes: option(node),
  localNode: option(node), hashInit: option(integer(0, 0xffffffff)),
}
const needed = ['new', 'hashmode', 'clustermac', 'totalNodes', 'localNode'] as const

/** One address of several machines, each of which answers its share. Kernels refuse it in nf_tables, and have none since 6.3. */
export const CLUSTERIP: Extension<typeof clusteripOptions> = extension({
  name: 'CLUSTERIP',
  options: clusteripOptions,
  families: ['ip'],
  layout: struct({
    flags: u32, mac: bytes(6), totalNodes: u16, localCount: u16, localNodes: array(u16, c.CLUSTERIP_MAX_NODES), _: padding(2),
    mode: u32, init: u32, _config: padding(8),
  }),
  check(given) {
    if (Object.values(given).every(said => said === undefined)) return undefined
    const missing = needed.find(field => given[field] === undefined)
    return missing === undefined ? undefined : [missing, `${clusteripOptions[missing].kind.accepted}: all of ${needed.join(', ')}, or none`]
  },
  write: given => ({
    flags: given.new === undefined ? 0 : c.CLUSTERIP_FLAG_NEW,
    mac: Uint8Array.from(given.clustermac?.value.split(':') ?? [], byte => parseInt(byte, 16)),
    totalNodes: given.totalNodes?.value,
    localCount: given.localNode === undefined ? 0 : 1,
    localNodes: [given.localNode?.value ?? 0],
    mode: given.hashmode === undefined ? 0 : hashModes.indexOf(given.hashmode.value),
    init: given.hashInit?.value,
  }),
  read({ flags, mac, totalNodes, localNodes, mode, init }) {
    if ((flags & c.CLUSTERIP_FLAG_NEW) === 0) return {}
    const hashmode = hashModes[mode]
    return hashmode === undefined ? undefined : {
      new: says(true as const), hashmode: says(hashmode), clustermac: says(Buffer.from(mac).toString('hex').replace(/..(?=.)/g, '$&:')),
      totalNodes: says(totalNodes), localNode: says(localNodes[0] ?? 0), hashInit: says(init),
    }
  },
  list(given) {
    if (given.new === undefined) return 'CLUSTERIP'
    return `CLUSTERIP hashmode=${given.hashmode?.value ?? ''} clustermac=${clusterMac.format(given.clustermac?.value ?? '')} ` +
      `total_nodes=${given.totalNodes?.value ?? 0} local_node=${given.localNode?.value ?? 0} hash_init=${given.hashInit?.value ?? 0}`
  },
})
