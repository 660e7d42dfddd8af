/** nf_tables chains. Source: nft(8) "CHAINS", linux/netfilter/nf_tables.h (enum nft_chain_attributes). */
import { aText, check, fieldsOf, isOn, listOf } from '../checks.ts'
import { InvalidArgumentError } from '../errors.ts'
import { be32, beCounter64, interfaceName, named, raw, sbe32, string } from '../netlink/codecs.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_NONREC } from '../netlink/constants.ts'
import type { Message } from '../netlink/message.ts'
import { attributes, list } from '../netlink/table.ts'
import type { Values } from '../netlink/table.ts'
import { aHandle, bits, name } from './codecs.ts'
import {
  NFTA_CHAIN_COUNTERS, NFTA_CHAIN_FLAGS, NFTA_CHAIN_HANDLE, NFTA_CHAIN_HOOK, NFTA_CHAIN_ID, NFTA_CHAIN_NAME,
  NFTA_CHAIN_POLICY, NFTA_CHAIN_TABLE, NFTA_CHAIN_TYPE, NFTA_CHAIN_USE, NFTA_CHAIN_USERDATA, NFTA_COUNTER_BYTES,
  NFTA_COUNTER_PACKETS, NFTA_DEVICE_NAME, NFTA_HOOK_DEV, NFTA_HOOK_DEVS, NFTA_HOOK_HOOKNUM, NFTA_HOOK_PRIORITY,
  NFTA_RULE_CHAIN, NFTA_RULE_TABLE, NFT_MSG_DELCHAIN, NFT_MSG_DELRULE, NFT_MSG_GETCHAIN, NFT_MSG_NEWCHAIN,
  NFT_CHAIN_BASE, NFT_CHAIN_BINDING, NFT_CHAIN_HW_OFFLOAD, NF_ACCEPT, NF_DROP,
} from './constants.ts'
import { ASK, DUMP, familyOf, filterOf, nftRequest, refOf } from './messages.ts'
import type { Family, NftRequest } from './messages.ts'
import { checkHook, hooks, parsePriority } from './priorities.ts'
import type { ChainType, Hook, Priority } from './priorities.ts'
import { decodeUserdata, encodeUserdata } from './userdata.ts'

export type { Hook } from './priorities.ts'

const policies = { drop: NF_DROP, accept: NF_ACCEPT } as const
export type Policy = keyof typeof policies

/** `offload`: to the network card. */
export const chainFlags = { base: NFT_CHAIN_BASE, offload: NFT_CHAIN_HW_OFFLOAD, binding: NFT_CHAIN_BINDING } as const
export type ChainFlag = keyof typeof chainFlags

export const chainAttributes = attributes({
  table: [NFTA_CHAIN_TABLE, name],
  handle: [NFTA_CHAIN_HANDLE, beCounter64],
  name: [NFTA_CHAIN_NAME, name],
  hook: [NFTA_CHAIN_HOOK, attributes({
    number: [NFTA_HOOK_HOOKNUM, be32],
    priority: [NFTA_HOOK_PRIORITY, sbe32],
    device: [NFTA_HOOK_DEV, interfaceName],
    devices: [NFTA_HOOK_DEVS, list(NFTA_DEVICE_NAME, interfaceName)],
  })],
  policy: [NFTA_CHAIN_POLICY, named(be32, policies)],
  use: [NFTA_CHAIN_USE, be32],
  type: [NFTA_CHAIN_TYPE, string(31)],
  counters: [NFTA_CHAIN_COUNTERS, attributes({
    bytes: [NFTA_COUNTER_BYTES, beCounter64],
    packets: [NFTA_COUNTER_PACKETS, beCounter64],
  })],
  flags: [NFTA_CHAIN_FLAGS, bits(be32, chainFlags)],
  id: [NFTA_CHAIN_ID, be32],
  userdata: [NFTA_CHAIN_USERDATA, raw],
})
export type ChainEntries = typeof chainAttributes.entries

export interface Chain {
  family: Family
  table: string
  name: string
  handle: number
  /** Rules in it, plus jumps to it. */
  use: number
  flags: (ChainFlag | number)[]
  /** Base chains only: these four, and where counted, `counters`. */
  type?: string | undefined
  hook?: Hook | number | undefined
  /** Lower runs earlier. */
  priority?: number | undefined
  policy?: Policy | number | undefined
  /** Packets and bytes that met the policy. */
  counters?: { packets: number, bytes: number } | undefined
  /** Of netdev chains and ingress. */
  devices?: string[] | undefined
  comment?: string | undefined
  userdata?: Uint8Array | undefined
}

export interface ChainRef {
  family: Family
  table: string
  name: string
}

export interface AddChain extends ChainRef {
  /** Makes it a base chain: packets enter it here. */
  hook?: Hook
  /** Of a base chain; default `filter`. */
  type?: ChainType
  /** Of a base chain; default 0. Lower runs earlier. */
  priority?: Priority
  /** Left out: `accept` for a new base chain, and no change for one that exists. */
  policy?: Policy
  /** Of a base chain: what has met the policy so far. Left out: 0 for a new one, and no change for one that exists. */
  counters?: { packets: number, bytes: number }
  /** Of netdev chains and ingress. */
  devices?: readonly string[]
  /** Of netdev chains: rules are given to the network card, which has to be able to. */
  offload?: boolean
  /** Printed by nft; at most 127 bytes. */
  comment?: string
  /** Fail with EEXIST if there is such a chain. */
  exclusive?: boolean
  /** Records as in userdata.ts, kept by the kernel for its user. */
  userdata?: Uint8Array
}

const chainFields: ReadonlySet<string> = new Set([
  'family', 'table', 'name', 'hook', 'type', 'priority', 'policy', 'counters', 'devices', 'offload', 'comment', 'exclusive',
  'userdata', 'handle', 'use', 'flags',
])

/** Creates a chain; of one that exists only the policy is changed, if given. */
export function addChain(chain: AddChain): NftRequest<ChainEntries> {
  const { family, table, name, hook, exclusive, comment, userdata = encodeUserdata({ comment }) } = refOf('chain', chain, chainFields)
  const operation = `add chain ${family} ${table} ${name}`
  const values = { table, name, ...(hook === undefined ? regular(chain) : baseValues({ ...chain, hook })), userdata }
  const flags = NLM_F_CREATE | (isOn('exclusive', exclusive) ? NLM_F_EXCL : 0)
  return nftRequest(NFT_MSG_NEWCHAIN, flags, family, chainAttributes, values, operation)
}

function baseValues(chain: AddChain & { hook: Hook }): Values<ChainEntries> {
  const { family, hook, type = 'filter', policy, counters, priority: wanted = 0, offload } = chain
  const priority = parsePriority(family, wanted)
  const devices = chain.devices === undefined ? undefined : listOf('devices', chain.devices)
  if (type === 'nat' && policy === 'drop') throw new InvalidArgumentError('policy', policy, 'accept for a chain of type nat, which only sees new connections')
  const number = checkHook({ family, hook, type, priority, devices })
  const [first, second] = devices ?? []
  const onDevices = first === undefined ? {} : second === undefined ? { device: first } : { devices: [...devices ?? []] }
  return {
    hook: { number, priority, ...onDevices }, policy, type, ...(counters === undefined ? {} : { counters: fieldsOf('counters', counters) }),
    ...(isOn('offload', offload) ? { flags: ['base', 'offload'] } : {}),
  }
}

function regular(chain: AddChain): Values<ChainEntries> {
  for (const field of ['type', 'priority', 'counters', 'devices', 'offload'] as const) {
    if (chain[field] !== undefined) throw new InvalidArgumentError(field, chain[field], 'a hook beside it: only base chains have one')
  }
  return chain.policy === undefined ? {} : { policy: chain.policy }
}

export interface RenameChain extends ChainRef {
  /** Of the chain, as `host.firewall.chains` says. */
  handle: number
  newName: string
}

/** Gives a chain another name; jumps to it go on. */
export function renameChain(chain: RenameChain): NftRequest<ChainEntries> {
  const { family, table, name, handle, newName } = refOf('chain', chain)
  check('handle', handle, aHandle)
  check('newName', newName, aText)
  const operation = `rename chain ${family} ${table} ${name} ${newName}`
  return nftRequest(NFT_MSG_NEWCHAIN, 0, family, chainAttributes, { table, handle, name: newName }, operation)
}

export interface DeleteChain extends ChainRef {
  /** Fail with EBUSY if there are rules in it. One that is jumped to is always busy. */
  nonRecursive?: boolean
}

/** Deletes a chain and its rules. */
export function deleteChain(chain: DeleteChain): NftRequest<ChainEntries> {
  const { family, table, name, nonRecursive } = refOf('chain', chain)
  const flags = isOn('nonRecursive', nonRecursive) ? NLM_F_NONREC : 0
  const operation = `delete chain ${family} ${table} ${name}`
  return nftRequest(NFT_MSG_DELCHAIN, flags, family, chainAttributes, { table, name }, operation)
}

const flushAttributes = attributes({ table: [NFTA_RULE_TABLE, name], chain: [NFTA_RULE_CHAIN, name] })

/** Deletes all rules of a chain. */
export function flushChain(chain: ChainRef): NftRequest<typeof flushAttributes.entries> {
  const { family, table, name } = refOf('chain', chain)
  const operation = `flush chain ${family} ${table} ${name}`
  return nftRequest(NFT_MSG_DELRULE, 0, family, flushAttributes, { table, chain: name }, operation)
}

/** All chains, or those of one family. The kernel does not filter by table. */
export function listChains(filter: { family?: Family } = {}): NftRequest<ChainEntries> {
  const { family } = filterOf(filter)
  const operation = `list chains${family === undefined ? '' : ` ${family}`}`
  return nftRequest(NFT_MSG_GETCHAIN, DUMP, family, chainAttributes, {}, operation)
}

/** One chain; ENOENT if there is none. */
export function getChain(chain: ChainRef): NftRequest<ChainEntries> {
  const { family, table, name } = refOf('chain', chain)
  const operation = `get chain ${family} ${table} ${name}`
  return nftRequest(NFT_MSG_GETCHAIN, ASK, family, chainAttributes, { table, name }, operation)
}

export function decodeChain(message: Message): Chain {
  const family = familyOf(message)
  const attributes = message.attributes as Values<ChainEntries>
  const { table = '', name = '', handle = 0, use = 0, flags = [], hook, type, policy, counters, userdata } = attributes
  return {
    family, table, name, handle, use, flags, type,
    hook: hook?.number === undefined ? undefined : hooks[family][hook.number] ?? hook.number,
    priority: hook?.priority,
    policy,
    counters: counters === undefined ? undefined : { packets: counters.packets ?? 0, bytes: counters.bytes ?? 0 },
    devices: hook?.devices ?? (hook?.device === undefined ? undefined : [hook.device]),
    comment: userdata === undefined ? undefined : decodeUserdata(userdata).comment,
    userdata,
  }
}
