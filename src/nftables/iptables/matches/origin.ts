/** Whose a packet is, and the way that it came. Sources: linux/netfilter/xt_owner.h, xt_physdev.h, xt_socket.h, xt_cgroup.h, … */
import { bool8, hexWithColons, padding, u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { littleEndian32 } from '../../primitives.ts'
import { notBits, readBits, readFlags, saidBits } from '../bits.ts'
import * as c from '../constants.ts'
import { bang, extension, negatable, option, says, saysIf } from '../extension.ts'
import type { Extension, Given } from '../extension.ts'
import { flag, integer, interfacePattern, macAddress, mark, range, text } from '../values.ts'
import { bytes, fixedText } from '../xt.ts'

const macOptions = { macSource: negatable(macAddress) }

export const mac: Extension<typeof macOptions> = extension({
  name: 'mac',
  options: macOptions,
  layout: struct({ source: bytes(6), _: padding(2), invert: u32 }),
  check: given => (given.macSource === undefined ? ['macSource', macAddress.accepted] : undefined),
  write: ({ macSource }) => ({ source: Buffer.from((macSource?.value ?? '').replaceAll(':', ''), 'hex'), invert: macSource?.not === true ? 1 : 0 }),
  read: ({ source, invert }) =>
    ({ macSource: says(hexWithColons(source, 0, source.length), invert !== 0) }),
  list: ({ macSource }) => `MAC ${bang(macSource, ' ')}${macSource?.value ?? ''}`,
})

const id = range(0xffffffff, '-')
const ownerOptions = {
  socketExists: negatable(flag), uidOwner: negatable(id), gidOwner: negatable(id), supplGroups: option(flag),
}

const ownerBits = {
  socketExists: c.XT_OWNER_SOCKET, uidOwner: c.XT_OWNER_UID, gidOwner: c.XT_OWNER_GID, supplGroups: c.XT_OWNER_SUPPL_GROUPS,
} as const

export const owner: Extension<typeof ownerOptions> = extension({
  name: 'owner',
  revision: 1,
  options: ownerOptions,
  layout: struct({ uidMin: u32, uidMax: u32, gidMin: u32, gidMax: u32, match: u8, invert: u8, _: padding(2) }),
  check(given) {
    if (given.supplGroups !== undefined && given.gidOwner === undefined) return ['supplGroups', 'gidOwner beside it']
    return Object.values(given).some(said => said !== undefined) ? undefined : ['uidOwner', 'at least one option of owner']
  },
  write: given => ({
    uidMin: given.uidOwner?.value[0], uidMax: given.uidOwner?.value[1],
    gidMin: given.gidOwner?.value[0], gidMax: given.gidOwner?.value[1],
    match: saidBits(ownerBits, given), invert: notBits(ownerBits, given),
  }),
  read({ uidMin, uidMax, gidMin, gidMax, match, invert }) {
    const said = readBits([ownerBits, match], [ownerBits, invert])
    return {
      socketExists: said('socketExists', true),
      uidOwner: said('uidOwner', [uidMin, uidMax]),
      gidOwner: said('gidOwner', [gidMin, gidMax]),
      supplGroups: said('supplGroups', true),
    }
  },
  list: ({ socketExists, uidOwner, gidOwner, supplGroups }) => [
    ...(socketExists === undefined ? [] : [`${bang(socketExists, ' ')}owner socket exists`]),
    ...(uidOwner === undefined ? [] : [`${bang(uidOwner, ' ')}owner UID match ${id.format(uidOwner.value)}`]),
    ...(gidOwner === undefined ? [] : [`${bang(gidOwner, ' ')}owner GID match ${id.format(gidOwner.value)}`]),
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
    invert: notBits(physdevBits, given), bitmask: saidBits(physdevBits, given),
  }),
  read(values) {
    const said = readBits([physdevBits, values.bitmask], [physdevBits, values.invert])
    return {
      physdevIsIn: said('physdevIsIn', true), physdevIn: said('physdevIn', values.in),
      physdevIsOut: said('physdevIsOut', true), physdevOut: said('physdevOut', values.out),
      physdevIsBridged: said('physdevIsBridged', true),
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
    return said === undefined ? [] : [`${bang(said, ' ')}${names[field]}${said.value === true ? '' : ` ${said.value}`}`]
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
  write: given => ({ flags: saidBits(socketBits, given) }),
  read: ({ flags }) => readFlags(socketBits, flags),
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
  write: given => ({ flags: saidBits(rpfilterBits, given) }),
  read: ({ flags }) => readFlags(rpfilterBits, flags),
  list: given => ['rpfilter', ...(given.loose === undefined ? [] : ['loose']), ...(given.validmark === undefined ? [] : ['validmark']),
    ...(given.acceptLocal === undefined ? [] : ['accept-local']), ...(given.invert === undefined ? [] : ['invert'])].join(' '),
})

const number = mark()
const realmOptions = { realm: negatable(number) }

/** The realm of the packet's route. */
export const realm: Extension<typeof realmOptions> = extension({
  name: 'realm',
  options: realmOptions,
  layout: struct({ id: u32, mask: u32, invert: bool8, _: padding(3) }),
  check: given => (given.realm === undefined ? ['realm', number.accepted] : undefined),
  write: ({ realm: said }) => ({ id: said?.value.value, mask: said?.value.mask, invert: said?.not }),
  read: ({ id, mask, invert }) => ({ realm: says({ value: id, mask }, invert) }),
  list: ({ realm: said }) => `${bang(said, ' ')}realm ${number.format(said?.value ?? { value: 0, mask: 0 })}`,
})

const groupOptions = { srcGroup: negatable(number), dstGroup: negatable(number) }

const groupBits = { srcGroup: c.XT_DEVGROUP_MATCH_SRC, dstGroup: c.XT_DEVGROUP_MATCH_DST } as const
const groupNotBits = { srcGroup: c.XT_DEVGROUP_INVERT_SRC, dstGroup: c.XT_DEVGROUP_INVERT_DST } as const

/** The groups of the links that a packet came in by and leaves by. */
export const devgroup: Extension<typeof groupOptions> = extension({
  name: 'devgroup',
  options: groupOptions,
  layout: struct({ flags: u32, src: u32, srcMask: u32, dst: u32, dstMask: u32 }),
  check: ({ srcGroup, dstGroup }) => (srcGroup === undefined && dstGroup === undefined ? ['srcGroup', 'srcGroup or dstGroup'] : undefined),
  write: ({ srcGroup, dstGroup }) => ({
    flags: saidBits(groupBits, { srcGroup, dstGroup }) | notBits(groupNotBits, { srcGroup, dstGroup }),
    src: srcGroup?.value.value, srcMask: srcGroup?.value.mask, dst: dstGroup?.value.value, dstMask: dstGroup?.value.mask,
  }),
  read({ flags, src, srcMask, dst, dstMask }) {
    const said = readBits([groupBits, flags], [groupNotBits, flags])
    return { srcGroup: said('srcGroup', { value: src, mask: srcMask }), dstGroup: said('dstGroup', { value: dst, mask: dstMask }) }
  },
  list: ({ srcGroup, dstGroup }) => ([['src-group', srcGroup], ['dst-group', dstGroup]] as const)
    .flatMap(([name, said]) => (said === undefined ? [] : [`${bang(said, ' ')}${name} ${number.format(said.value)}`])).join(' '),
})

/** The kernel looks paths up in the hierarchy of cgroup v2. */
const cgroupOptions = { path: negatable(text(c.XT_CGROUP_PATH_MAX - 1)), cgroup: negatable(integer(0, 0xffffffff)) }

/** The sender's cgroup: its path, or the class that net_cls gave it. */
export const cgroup: Extension<typeof cgroupOptions> = extension({
  name: 'cgroup',
  revision: 2,
  options: cgroupOptions,
  layout: struct({
    hasPath: bool8, hasClass: bool8, invertPath: bool8, invertClass: bool8, pathOrClass: bytes(c.XT_CGROUP_PATH_MAX), _kernel: padding(8),
  }),
  check: ({ path, cgroup: id }) => ((path === undefined) === (id === undefined) ? ['cgroup', 'either cgroup or path'] : undefined),
  write: ({ path, cgroup: id }) => ({
    hasPath: path !== undefined, hasClass: id !== undefined, invertPath: path?.not, invertClass: id?.not,
    pathOrClass: path === undefined ? littleEndian32(id?.value ?? 0) : Uint8Array.from(Buffer.from(path.value)),
  }),
  read({ hasPath, hasClass, invertPath, invertClass, pathOrClass }) {
    const both = Buffer.from(pathOrClass)
    return hasPath === hasClass ? undefined : {
      path: saysIf(hasPath, both.toString('utf8').split('\0')[0] ?? '', invertPath), cgroup: saysIf(hasClass, both.readUInt32LE(), invertClass),
    }
  },
  list: ({ path, cgroup: id }) => `cgroup ${bang(path ?? id, ' ')}${(path ?? id)?.value ?? ''}`,
})

const osfLevel = integer(0, 2)
const osfOptions = { genre: negatable({ ...text(c.MAXGENRELEN - 1), format: String }), ttl: option(osfLevel), log: option(osfLevel) }
const osfBits = { ttl: c.NF_OSF_TTL, log: c.NF_OSF_LOG } as const

/** The sender's operating system, by what is usual in its first packets; the kernel is told of fingerprints by nfnl_osf(8). */
export const osf: Extension<typeof osfOptions> = extension({
  name: 'osf',
  options: osfOptions,
  families: ['ip'],
  protocols: [6],
  layout: struct({ genre: fixedText(c.MAXGENRELEN), length: u32, flags: u32, log: u32, ttl: u32 }),
  check: given => (given.genre === undefined ? ['genre', osfOptions.genre.kind.accepted] : undefined),
  write: ({ genre, ttl, log }) => ({
    genre: genre?.value, length: Buffer.byteLength(genre?.value ?? ''), log: log?.value, ttl: ttl?.value,
    flags: (genre?.not === true ? c.NF_OSF_INVERT : 0) | saidBits(osfBits, { ttl, log }),
  }),
  read({ genre, flags, log, ttl }) {
    const said = readBits([osfBits, flags])
    return { genre: says(genre, (flags & c.NF_OSF_INVERT) !== 0), ttl: said('ttl', ttl), log: said('log', log) }
  },
  list: ({ genre }) => `OS fingerprint match ${bang(genre, ' ')}${genre?.value ?? ''}`,
})
