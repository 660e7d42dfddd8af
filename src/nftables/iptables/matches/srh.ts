/** The segment routing header of IPv6. Source: linux/netfilter_ipv6/ip6t_srh.h (struct ip6t_srh1). */
import { padding, u16, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import { hostText, parseWhole, prefixLength, toHost } from '../addresses.ts'
import { notBits, readBits, saidBits } from '../bits.ts'
import * as c from '../constants.ts'
import { bang, extension, negatable, optionName } from '../extension.ts'
import type { Extension, Given } from '../extension.ts'
import { integer } from '../values.ts'
import type { Kind } from '../values.ts'
import { inetAddress } from '../xt.ts'

/** Printed with its length in any case. */
const sid: Kind<string> = {
  words: 1,
  accepted: 'an IPv6 address or prefix',
  parse(text, { family }) {
    const found = parseWhole(text, family)
    return found === undefined || prefixLength(found.mask) === undefined ? undefined : found.text
  },
  format: String,
  type: String,
}

const byte = negatable(integer(0, 0xff))
const options = {
  srhNextHdr: byte, srhHdrLenEq: byte, srhHdrLenGt: byte, srhHdrLenLt: byte, srhSegsLeftEq: byte, srhSegsLeftGt: byte, srhSegsLeftLt: byte,
  srhLastEntryEq: byte, srhLastEntryGt: byte, srhLastEntryLt: byte, srhTag: negatable(integer(0, 0xffff)),
  srhPsid: negatable(sid), srhNsid: negatable(sid), srhLsid: negatable(sid),
}
const bits = {
  srhNextHdr: c.IP6T_SRH_NEXTHDR, srhHdrLenEq: c.IP6T_SRH_LEN_EQ, srhHdrLenGt: c.IP6T_SRH_LEN_GT, srhHdrLenLt: c.IP6T_SRH_LEN_LT,
  srhSegsLeftEq: c.IP6T_SRH_SEGS_EQ, srhSegsLeftGt: c.IP6T_SRH_SEGS_GT, srhSegsLeftLt: c.IP6T_SRH_SEGS_LT,
  srhLastEntryEq: c.IP6T_SRH_LAST_EQ, srhLastEntryGt: c.IP6T_SRH_LAST_GT, srhLastEntryLt: c.IP6T_SRH_LAST_LT, srhTag: c.IP6T_SRH_TAG,
  srhPsid: c.IP6T_SRH_PSID, srhNsid: c.IP6T_SRH_NSID, srhLsid: c.IP6T_SRH_LSID,
} as const

/** Which number of the struct each option is compared with: equal, greater and less share one. */
const numbers = {
  srhNextHdr: 'nextHdr', srhHdrLenEq: 'hdrLen', srhHdrLenGt: 'hdrLen', srhHdrLenLt: 'hdrLen', srhSegsLeftEq: 'segsLeft',
  srhSegsLeftGt: 'segsLeft', srhSegsLeftLt: 'segsLeft', srhLastEntryEq: 'lastEntry', srhLastEntryGt: 'lastEntry', srhLastEntryLt: 'lastEntry',
  srhTag: 'tag',
} as const
const numberFields = Object.keys(numbers) as (keyof typeof numbers)[]
const sids = { srhPsid: ['psid', 'psidMask'], srhNsid: ['nsid', 'nsidMask'], srhLsid: ['lsid', 'lsidMask'] } as const
const sidFields = Object.keys(sids) as (keyof typeof sids)[]

type Srh = Given<typeof options>

/** The first option that shares its number with another one's. */
function shared(given: Srh): (typeof numberFields)[number] | undefined {
  return numberFields.find((field, at) => given[field] !== undefined && numberFields.slice(0, at).some(other =>
    numbers[other] === numbers[field] && given[other] !== undefined && given[other].value !== given[field]?.value))
}

export const srh: Extension<typeof options> = extension({
  name: 'srh',
  revision: 1,
  options,
  families: ['ip6'],
  layout: struct({
    nextHdr: u8, hdrLen: u8, segsLeft: u8, lastEntry: u8, tag: u16, _: padding(2),
    psid: inetAddress, nsid: inetAddress, lsid: inetAddress, psidMask: inetAddress, nsidMask: inetAddress, lsidMask: inetAddress,
    flags: u16, invflags: u16,
  }),
  check(given) {
    const field = shared(given)
    return field === undefined ? undefined : [field, 'the same number in eq, gt and lt: the kernel keeps one for them']
  },
  write: (given, { family }) => ({
    ...Object.fromEntries(numberFields.flatMap(field => (given[field] === undefined ? [] : [[numbers[field], given[field].value]]))),
    ...Object.fromEntries(sidFields.flatMap(field => {
      const found = given[field] === undefined ? undefined : toHost(given[field].value, family)
      return found === undefined ? [] : [[sids[field][0], found.address], [sids[field][1], found.mask]]
    })),
    flags: saidBits(bits, given), invflags: notBits(bits, given),
  }),
  read(values, { family }) {
    const said = readBits([bits, values.flags], [bits, values.invflags])
    const addresses = sidFields.map(field => [field, values[sids[field][0]], values[sids[field][1]]] as const)
    if (addresses.some(([, , mask]) => prefixLength(mask) === undefined)) return undefined
    return {
      ...Object.fromEntries(numberFields.map(field => [field, said(field, values[numbers[field]])])),
      ...Object.fromEntries(addresses.map(([field, address, mask]) => [field, said(field, hostText(address, mask, family, true))])),
    }
  },
  list: given => ['srh', ...Object.keys(options).flatMap(field => {
    const said = given[field as keyof typeof options]
    const label = optionName(field).slice('srh-'.length)
    return said === undefined ? [] : [typeof said.value === 'number' ? `${label}:${bang(said)}${said.value}` : `${label} ${bang(said)} ${said.value}`]
  })].join(' '),
})
