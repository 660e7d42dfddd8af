/** Whose a packet is, and where it came from. Sources: linux/netfilter/xt_owner.h, xt_physdev.h, xt_recent.h, xt_socket.h, … */
import { hexWithColons, padding, u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { prefixMask } from '../../primitives.ts'
import { inetText, toInet } from '../addresses.ts'
import * as c from '../constants.ts'
import { extension, negatable, option, says, saysIf } from '../extension.ts'
import type { Extension, Given } from '../extension.ts'
import { address, flag, integer, interfacePattern, macAddress, range, text } from '../values.ts'
import { bytes, fixedText, inetAddress } from '../xt.ts'

const commentOptions = { comment: option(text(c.XT_MAX_COMMENT_LEN - 1)) }

export const comment: Extension<typeof commentOptions> = extension({
  name: 'comment',
  options: commentOptions,
  layout: struct({ comment: fixedText(c.XT_MAX_COMMENT_LEN) }),
  check: given => (given.comment === undefined ? ['comment', commentOptions.comment.kind.accepted] : undefined),
  write: ({ comment: said }) => ({ comment: said?.value }),
  read: ({ comment: value }) => ({ comment: says(value) }),
  list: ({ comment: said }) => `/* ${said?.value ?? ''} */`,
})

const macOptions = { macSource: negatable(macAddress) }

export const mac: Extension<typeof macOptions> = extension({
  name: 'mac',
  options: macOptions,
  layout: struct({ source: bytes(6), _: padding(2), invert: u32 }),
  check: given => (given.macSource === undefined ? ['macSource', macAddress.accepted] : undefined),
  write: ({ macSource }) => ({ source: Buffer.from((macSource?.value ?? '').replaceAll(':', ''), 'hex'), invert: macSource?.not === true ? 1 : 0 }),
  read: ({ source, invert }) =>
    ({ macSource: says(hexWithColons(source, 0, source.length), invert !== 0) }),
  list: ({ macSource }) => `MAC ${macSource?.not === true ? '! ' : ''}${macSource?.value ?? ''}`,
})

const id = range(0xffffffff, '-')
const ownerOptions = {
  socketExists: negatable(flag), uidOwner: negatable(id), gidOwner: negatable(id), supplGroups: option(flag),
}

export const owner: Extension<typeof ownerOptions> = extension({
  name: 'owner',
  revision: 1,
  options: ownerOptions,
  layout: struct({ uidMin: u32, uidMax: u32, gidMin: u32, gidMax: u32, match: u8, invert: u8, _: padding(2) }),
  check(given) {
    if (given.supplGroups !== undefined && given.gidOwner === undefined) return ['supplGroups', 'gidOwner beside it']
    return Object.values(given).some(said => said !== undefined) ? undefined : ['uidOwner', 'at least one option of owner']
  },
  write({ socketExists, uidOwner, gidOwner, supplGroups }) {
    const bits = [[socketExists, c.XT_OWNER_SOCKET], [uidOwner, c.XT_OWNER_UID], [gidOwner, c.XT_OWNER_GID],
      [supplGroups, c.XT_OWNER_SUPPL_GROUPS]] as const
    return {
      uidMin: uidOwner?.value[0], uidMax: uidOwner?.value[1], gidMin: gidOwner?.value[0], gidMax: gidOwner?.value[1],
      match: bits.reduce((all, [said, bit]) => (said === undefined ? all : all | bit), 0),
      invert: bits.reduce((all, [said, bit]) => (said?.not === true ? all | bit : all), 0),
    }
  },
  read({ uidMin, uidMax, gidMin, gidMax, match, invert }) {
    const said = <V>(bit: number, value: V): ReturnType<typeof saysIf<V>> => saysIf((match & bit) !== 0, value, (invert & bit) !== 0)
    return {
      socketExists: said(c.XT_OWNER_SOCKET, true as const),
      uidOwner: said(c.XT_OWNER_UID, [uidMin, uidMax] as const),
      gidOwner: said(c.XT_OWNER_GID, [gidMin, gidMax] as const),
      supplGroups: said(c.XT_OWNER_SUPPL_GROUPS, true as const),
    }
  },
  list: ({ socketExists, uidOwner, gidOwner, supplGroups }) => [
    ...(socketExists === undefined ? [] : [`${socketExists.not ? '! ' : ''}owner socket exists`]),
    ...(uidOwner === undefined ? [] : [`${uidOwner.not ? '! ' : ''}owner UID match ${id.format(uidOwner.value)}`]),
    ...(gidOwner === undefined ? [] : [`${gidOwner.not ? '! ' : ''}owner GID match ${id.format(gidOwner.value)}`]),
    ...(supplGroups === undefined ? [] : ['incl. suppl. groups']),
  ].join(' '),
})

const physdevOptions = {
  physdevIsIn: negatable(flag),
  physdevIn: negatable(interfacePattern),
  physdevIsOut: negatable(flag),
  physdevOut: negatable(interfacePattern),
  physdevIsBridged: negatable(flag),
}
const physdevBits = {
  physdevIsIn: c.XT_PHYSDEV_OP_ISIN,
  physdevIn: c.XT_PHYSDEV_OP_IN,
  physdevIsOut: c.XT_PHYSDEV_OP_ISOUT,
  physdevOut: c.XT_PHYSDEV_OP_OUT,
  physdevIsBridged: c.XT_PHYSDEV_OP_BRIDGED,
} as const
const physdevFields = Object.keys(physdevBits) as (keyof typeof physdevBits)[]

/** As far as a name is compared: with its NUL, or up to its `+`. */
function nameMask(name: string): Uint8Array {
  const length = name.endsWith('+') ? Buffer.byteLength(name) - 1 : Buffer.byteLength(name) + 1
  return new Uint8Array(16).fill(0xff, 0, length)
}

export const physdev: Extension<typeof physdevOptions> = extension({
  name: 'physdev',
  options: physdevOptions,
  layout: struct({ in: fixedText(16), inMask: bytes(16), out: fixedText(16), outMask: bytes(16), invert: u8, bitmask: u8, _: padding(2) }),
  check: given => (physdevFields.some(field => given[field] !== undefined) ? undefined : ['physdevIn', 'at least one option of physdev']),
  write: given => ({
    ...(given.physdevIn === undefined ? {} : { in: given.physdevIn.value, inMask: nameMask(given.physdevIn.value) }),
    ...(given.physdevOut === undefined ? {} : { out: given.physdevOut.value, outMask: nameMask(given.physdevOut.value) }),
    invert: physdevFields.reduce((all, field) => (given[field]?.not === true ? all | physdevBits[field] : all), 0),
    bitmask: physdevFields.reduce((all, field) => (given[field] === undefined ? all : all | physdevBits[field]), 0),
  }),
  read(values) {
    const said = <V>(field: keyof typeof physdevBits, value: V): ReturnType<typeof saysIf<V>> =>
      saysIf((values.bitmask & physdevBits[field]) !== 0, value, (values.invert & physdevBits[field]) !== 0)
    return {
      physdevIsIn: said('physdevIsIn', true as const), physdevIn: said('physdevIn', values.in),
      physdevIsOut: said('physdevIsOut', true as const), physdevOut: said('physdevOut', values.out),
      physdevIsBridged: said('physdevIsBridged', true as const),
    }
  },
  list: given => ['PHYSDEV match', physdevText(given)].join(' '),
})

function physdevText(given: Given<typeof physdevOptions>): string {
  const names = {
    physdevIsIn: '--physdev-is-in', physdevIn: '--physdev-in', physdevIsOut: '--physdev-is-out', physdevOut: '--physdev-out',
    physdevIsBridged: '--physdev-is-bridged',
  } as const
  return physdevFields.flatMap(field => {
    const said = given[field]
    return said === undefined ? [] : [`${said.not ? '! ' : ''}${names[field]}${said.value === true ? '' : ` ${said.value}`}`]
  }).join(' ')
}

const socketOptions = { transparent: option(flag), nowildcard: option(flag), restoreSkmark: option(flag) }
const socketBits = {
  transparent: c.XT_SOCKET_TRANSPARENT, nowildcard: c.XT_SOCKET_NOWILDCARD, restoreSkmark: c.XT_SOCKET_RESTORESKMARK,
} as const

export const socket: Extension<typeof socketOptions> = extension({
  name: 'socket',
  revision: 3,
  options: socketOptions,
  layout: struct({ flags: u8 }),
  write: given => ({ flags: bitsOf(socketBits, given) }),
  read: ({ flags }) => flagsOf(socketBits, flags),
  list: given => ['socket', ...(given.transparent === undefined ? [] : ['--transparent']),
    ...(given.nowildcard === undefined ? [] : ['--nowildcard']), ...(given.restoreSkmark === undefined ? [] : ['--restore-skmark'])].join(' '),
})

const rpfilterOptions = { loose: option(flag), validmark: option(flag), acceptLocal: option(flag), invert: option(flag) }
const rpfilterBits = {
  loose: c.XT_RPFILTER_LOOSE, validmark: c.XT_RPFILTER_VALID_MARK, acceptLocal: c.XT_RPFILTER_ACCEPT_LOCAL, invert: c.XT_RPFILTER_INVERT,
} as const

export const rpfilter: Extension<typeof rpfilterOptions> = extension({
  name: 'rpfilter',
  options: rpfilterOptions,
  tables: ['raw', 'mangle'],
  layout: struct({ flags: u8 }),
  write: given => ({ flags: bitsOf(rpfilterBits, given) }),
  read: ({ flags }) => flagsOf(rpfilterBits, flags),
  list: given => ['rpfilter', ...(given.loose === undefined ? [] : ['loose']), ...(given.validmark === undefined ? [] : ['validmark']),
    ...(given.acceptLocal === undefined ? [] : ['accept-local']), ...(given.invert === undefined ? [] : ['invert'])].join(' '),
})

function bitsOf<K extends string>(bits: Readonly<Record<K, number>>, given: Readonly<Partial<Record<K, unknown>>>): number {
  return (Object.keys(bits) as K[]).reduce((all, field) => (given[field] === undefined ? all : all | bits[field]), 0)
}

function flagsOf<K extends string>(bits: Readonly<Record<K, number>>, flags: number): Record<K, ReturnType<typeof saysIf<true>>> {
  const entries = (Object.keys(bits) as K[]).map(field => [field, saysIf((flags & bits[field]) !== 0, true as const)])
  return Object.fromEntries(entries) as Record<K, ReturnType<typeof saysIf<true>>>
}

const helperOptions = { helper: negatable(text(29)) }

export const helper: Extension<typeof helperOptions> = extension({
  name: 'helper',
  options: helperOptions,
  layout: struct({ invert: u32, name: fixedText(30), _: padding(2) }),
  check: given => (given.helper === undefined ? ['helper', helperOptions.helper.kind.accepted] : undefined),
  write: ({ helper: said }) => ({ invert: said?.not === true ? 1 : 0, name: said?.value }),
  read: ({ invert, name }) => ({ helper: says(name, invert !== 0) }),
  list: ({ helper: said }) => `helper match ${said?.not === true ? '! ' : ''}"${said?.value ?? ''}"`,
})

const number32 = integer(1, 0xffffffff)
const recentOptions = {
  set: negatable(flag),
  rcheck: negatable(flag),
  update: negatable(flag),
  remove: negatable(flag),
  seconds: option(number32),
  reap: option(flag),
  hitcount: option(number32),
  rttl: option(flag),
  name: option({ ...text(c.XT_RECENT_NAME_LEN - 1), format: String }),
  mask: option(address),
  rsource: option(flag),
  rdest: option(flag),
}
const recentActions = { set: c.XT_RECENT_SET, rcheck: c.XT_RECENT_CHECK, update: c.XT_RECENT_UPDATE, remove: c.XT_RECENT_REMOVE } as const
const recentActionNames = Object.keys(recentActions) as (keyof typeof recentActions)[]
const recentWords = { set: 'SET', rcheck: 'CHECK', update: 'UPDATE', remove: 'REMOVE' } as const

/** The tool writes a name over its default, and compares all bytes when it looks for a rule. */
function overDefault(name: string): Uint8Array {
  const encoded = Buffer.from(`${name}\0`)
  const before = Buffer.from('DEFAULT')
  return Buffer.concat([encoded, before.subarray(Math.min(encoded.length, before.length))])
}

export const recent: Extension<typeof recentOptions> = extension({
  name: 'recent',
  revision: 1,
  options: recentOptions,
  layout: struct({
    seconds: u32, hitCount: u32, checkSet: u8, invert: u8, name: bytes(c.XT_RECENT_NAME_LEN), side: u8, _: padding(1), mask: inetAddress,
  }),
  check(given) {
    if (recentActionNames.filter(name => given[name] !== undefined).length !== 1) return ['set', 'exactly one of set, rcheck, update and remove']
    if ((given.hitcount !== undefined || given.rttl !== undefined) && (given.set !== undefined || given.remove !== undefined)) {
      return [given.hitcount === undefined ? 'rttl' : 'hitcount', 'rcheck or update beside it']
    }
    return given.reap !== undefined && given.seconds === undefined ? ['reap', 'seconds beside it'] : undefined
  },
  write(given) {
    const action = recentActionNames.find(name => given[name] !== undefined) ?? 'set'
    return {
      seconds: given.seconds?.value, hitCount: given.hitcount?.value,
      checkSet: recentActions[action] | (given.rttl === undefined ? 0 : c.XT_RECENT_TTL) |
        (given.reap === undefined ? 0 : c.XT_RECENT_REAP),
      invert: given[action]?.not === true ? 1 : 0, name: overDefault(given.name?.value ?? 'DEFAULT'),
      side: given.rdest === undefined ? c.XT_RECENT_SOURCE : c.XT_RECENT_DEST,
      mask: given.mask === undefined ? prefixMask(16, 128) : toInet(given.mask.value),
    }
  },
  read({ seconds, hitCount, checkSet, invert, name, side, mask }, { family }) {
    const actions = recentActionNames.filter(action => (checkSet & recentActions[action]) !== 0)
    const [action] = actions
    if (actions.length !== 1 || action === undefined) return undefined
    return {
      [action]: says(true as const, invert !== 0),
      seconds: saysIf(seconds !== 0, seconds),
      reap: saysIf((checkSet & c.XT_RECENT_REAP) !== 0, true as const),
      hitcount: saysIf(hitCount !== 0, hitCount),
      rttl: saysIf((checkSet & c.XT_RECENT_TTL) !== 0, true as const),
      name: says(Buffer.from(name).toString().split('\0')[0] ?? ''),
      mask: says(inetText(mask, family)),
      rsource: saysIf(side === c.XT_RECENT_SOURCE, true as const),
      rdest: saysIf(side === c.XT_RECENT_DEST, true as const),
    }
  },
  list(given) {
    const action = recentActionNames.find(name => given[name] !== undefined) ?? 'set'
    return [
      `${given[action]?.not === true ? '! ' : ''}recent: ${recentWords[action]}`,
      ...(given.seconds === undefined ? [] : [`seconds: ${given.seconds.value}`]),
      ...(given.reap === undefined ? [] : ['reap']),
      ...(given.hitcount === undefined ? [] : [`hit_count: ${given.hitcount.value}`]),
      ...(given.rttl === undefined ? [] : ['TTL-Match']),
      `name: ${given.name?.value ?? ''} side: ${given.rdest === undefined ? 'source' : 'dest'} mask: ${given.mask?.value ?? ''}`,
    ].join(' ')
  },
})

const cpuOptions = { cpu: negatable(integer(0, 0xffffffff)) }

export const cpu: Extension<typeof cpuOptions> = extension({
  name: 'cpu',
  options: cpuOptions,
  layout: struct({ cpu: u32, invert: u32 }),
  check: given => (given.cpu === undefined ? ['cpu', cpuOptions.cpu.kind.accepted] : undefined),
  write: ({ cpu: said }) => ({ cpu: said?.value, invert: said?.not === true ? 1 : 0 }),
  read: ({ cpu: number, invert }) => ({ cpu: says(number, invert !== 0) }),
  list: ({ cpu: said }) => `cpu ${said?.not === true ? '! ' : ''}${said?.value ?? 0}`,
})

