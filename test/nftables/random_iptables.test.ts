/** Rules of iptables made up at random: what we write its tools show, and the kernel has the same of theirs. */
import fc from 'fast-check'
import { expect } from 'vitest'
import type { Host } from '../../src/host/host.ts'
import { tableNames } from '../../src/nftables/iptables/names.ts'
import type { IptablesFamily } from '../../src/nftables/index.ts'
import { newHost } from '../host/support.ts'
import { run } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { seedOf } from '../support/seed.ts'
import { matchCorpus } from './iptables_match_corpus.ts'
import { listedByTool, restoreByTool, restoreText, savedByTool } from './iptables_support.ts'

const { test } = needing(needs.kernel('iptablesNft'), needs.kernel('iptablesChecksum'))

const RUNS = 4

/** Sets of ipset, of either family, in each namespace; none where the kernel or the tool is missing. */
const withSets = needing(needs.tool('ipset'), needs.kernel('iptablesSet')).missing === undefined
const sets = ['one', 'two-x', 'a.b']

type Words = fc.Arbitrary<string>

const number = (least: number, most: number): Words => fc.integer({ min: least, max: most }).map(String)
const hex = (most: number): Words => fc.nat(most).map(value => `0x${value.toString(16)}`)
const port = number(0, 65535)
const pair = (most: number, least = 0): fc.Arbitrary<[number, number]> =>
  fc.tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most })).map(([a, b]) => [Math.min(a, b), Math.max(a, b)])
const span = (most: number, least = 0): Words => pair(most, least).map(([from, to]) => `${from}:${to}`)
const ports = fc.oneof(port, span(65535))
const some = (names: readonly string[]): Words => fc.subarray([...names], { minLength: 1 }).map(list => list.join(','))
const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,10}$/)
const text = fc.stringMatching(/^[a-zA-Z0-9 "'\\!.,:_-]{1,60}$/)
const quoted = (value: string): string => `"${value.replace(/["\\]/g, character => `\\${character}`)}"`
const device = fc.tuple(fc.stringMatching(/^[a-z][a-z0-9.]{0,12}$/), fc.constantFrom('', '+')).map(([name, any]) => name + any)
const mac = fc.array(fc.nat(255), { minLength: 6, maxLength: 6 }).map(bytes => bytes.map(byte => byte.toString(16).padStart(2, '0')).join(':'))

const addresses: Readonly<Record<IptablesFamily, Words>> = {
  ip: fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }).map(bytes => bytes.join('.')),
  ip6: fc.array(fc.nat(0xffff), { minLength: 7, maxLength: 7 }).map(groups => `fd00:${groups.map(group => group.toString(16)).join(':')}`),
}
const prefixes = (family: IptablesFamily): Words => fc.tuple(addresses[family], fc.integer({ min: 1, max: family === 'ip' ? 32 : 128 }))
  .map(([address, length]) => `${address}/${length}`)
const ranges: Readonly<Record<IptablesFamily, Words>> = {
  ip: pair(0xffff).map(([from, to]) => `10.0.${from >> 8}.${from & 255}-10.0.${to >> 8}.${to & 255}`),
  ip6: pair(0xffff).map(([from, to]) => `fd00::${from.toString(16)}-fd00::${to.toString(16)}`),
}

/** `--option value`, perhaps with `!` before it. */
const option = (name: string, value: Words, negatable = true): Words =>
  fc.tuple(negatable ? fc.constantFrom('', '', '! ') : fc.constant(''), value).map(([not, said]) => `${not}--${name} ${said}`)
const match = (name: string, ...options: Words[]): Words => fc.tuple(...options).map(said => [`-m ${name}`, ...said].join(' '))
const maybe = (words: Words): Words => fc.oneof(fc.constant(''), words)
const mask = (most: number): Words => fc.tuple(hex(most), maybe(hex(most).map(value => `/${value}`))).map(parts => parts.join(''))

const setUse = fc.tuple(fc.constantFrom(...sets), fc.array(fc.constantFrom('src', 'dst'), { minLength: 1, maxLength: 6 })).map(([set, dirs]) => `${set} ${dirs.join(',')}`)

function matches(family: IptablesFamily, place: string): Words[] {
  const rate = fc.tuple(number(1, 1000), fc.constantFrom('sec', 'min', 'hour', 'day')).map(parts => parts.join('/'))
  return [
    match('conntrack', option('ctstate', some(['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT']))),
    match('conntrack', option('ctstatus', some(['EXPECTED', 'SEEN_REPLY', 'ASSURED', 'CONFIRMED'])), option('ctexpire', span(99_999))),
    match('conntrack', option('ctorigsrc', prefixes(family)), option('ctrepldst', prefixes(family)), fc.constantFrom('--ctdir ORIGINAL', '--ctdir REPLY')),
    match('state', option('state', some(['NEW', 'INVALID', 'RELATED', 'ESTABLISHED']))),
    match('comment', text.map(value => `--comment ${quoted(value)}`)),
    match('addrtype', option('src-type', some(['LOCAL', 'UNICAST', 'MULTICAST'])), maybe(option('dst-type', some(['LOCAL', 'ANYCAST', 'UNICAST'])))),
    match('mark', option('mark', mask(0xffffffff))), match('connmark', option('mark', mask(0xffffffff))),
    match('limit', option('limit', rate, false), maybe(option('limit-burst', number(1, 99), false))),
    ...(/OUTPUT|POSTROUTING/.test(place) ? [] : [match('mac', option('mac-source', mac))]),
    match('pkttype', option('pkt-type', fc.constantFrom('unicast', 'broadcast', 'multicast'))),
    match('iprange', option('src-range', ranges[family]), maybe(option('dst-range', ranges[family]))),
    match('length', option('length', fc.oneof(number(0, 65535), span(65535)))),
    match('dscp', option('dscp', hex(63))), match('tos', option('tos', fc.tuple(hex(255), hex(255)).map(([value, bits]) => `${value}/${bits}`))),
    match('statistic', fc.constant('--mode nth'), option('every', number(2, 99)), fc.constant('--packet 1')),
    match('statistic', fc.constant('--mode random'), option('probability', fc.integer({ min: 1, max: 99 }).map(value => `0.${String(value).padStart(2, '0')}`))),
    match('recent', word.map(name => `--name ${name}`), fc.constantFrom('--set', '! --rcheck --seconds 5', '--update --hitcount 3 --rttl')),
    match('helper', option('helper', word)), match('quota', option('quota', number(0, 1_000_000))), match('cpu', option('cpu', number(0, 255))),
    match('connbytes', option('connbytes', span(1_000_000)), fc.constantFrom('original', 'reply', 'both').map(side => `--connbytes-dir ${side}`),
      fc.constantFrom('packets', 'bytes', 'avgpkt').map(mode => `--connbytes-mode ${mode}`)),
    match('connlimit', fc.constantFrom('above', 'upto').chain(kind => option(`connlimit-${kind}`, number(1, 1000), false)),
      maybe(option('connlimit-mask', number(0, family === 'ip' ? 32 : 128), false))),
    match('hashlimit', option('hashlimit-upto', fc.tuple(number(1, 1000), fc.constantFrom('sec', 'min')).map(parts => parts.join('/')), false), option('hashlimit-burst', number(1, 99), false),
      some(['srcip', 'srcport', 'dstip', 'dstport']).map(mode => `--hashlimit-mode ${mode}`), word.map(name => `--hashlimit-name ${name}`)),
    match('physdev', option('physdev-in', device)),
    ...(withSets ? [match('set', option('match-set', setUse), maybe(fc.constant('--return-nomatch')), maybe(fc.constant('! --update-counters')),
      maybe(option('packets-eq', number(0, 1_000_000))), maybe(fc.tuple(fc.constantFrom('lt', 'gt'), number(0, 1_000_000)).map(([side, value]) => `--bytes-${side} ${value}`)))] : []),
    ...(family === 'ip' ? [match('ttl', fc.oneof(option('ttl-eq', number(0, 255)), option('ttl-lt', number(0, 255), false)))] : []),
    ...(family === 'ip6' ? [match('hl', fc.oneof(option('hl-eq', number(0, 255)), option('hl-gt', number(0, 255), false)))] : []),
    ...rareMatches(family, place),
  ]
}

/** Matches that the kernel may lack, where it has them. */
function rareMatches(family: IptablesFamily, place: string): Words[] {
  const two = (value: number): string => String(value).padStart(2, '0')
  const daytime = fc.tuple(fc.nat(23), fc.nat(59), fc.nat(59)).map(parts => parts.map(two).join(':'))
  const date = fc.integer({ min: 1, max: 0x7ffffffe }).map(seconds => new Date(seconds * 1000).toISOString().slice(0, 19))
  const step = fc.oneof(fc.tuple(fc.constantFrom('&', '@'), hex(0xffffffff)), fc.tuple(fc.constantFrom('<<', '>>'), hex(31))).map(parts => parts.join(''))
  const values = fc.array(fc.oneof(hex(0xffffffff), span(0xffffffff)), { minLength: 1, maxLength: 10 })
  const test = fc.tuple(hex(0xffffffff), fc.array(step, { maxLength: 9 }), values)
    .map(([first, more, values]) => `${first}${more.join('')}=${values.join(',')}`)
  const instruction = fc.tuple(fc.constantFrom('4', '20', '7'), fc.constant('0 0'), number(0, 0xffffffff)).map(parts => parts.join(' '))
  const host = prefixes(family)
  const element = fc.tuple(option('reqid', number(0, 0xffffffff)), maybe(option('spi', hex(0xffffffff))), maybe(option('proto', fc.constantFrom('ah', 'esp', 'ipcomp'))),
    fc.oneof(fc.constant(''), fc.constant('--mode transport'), fc.tuple(option('tunnel-src', host), option('tunnel-dst', host)).map(parts => `--mode tunnel ${parts.join(' ')}`)))
    .map(parts => parts.join(' '))
  const length = (name: string): Words => option(name, number(0, 0xffffffff))
  const headerOptions = fc.array(fc.oneof(number(0, 255), fc.tuple(number(1, 255), number(0, 254)).map(parts => parts.join(':'))), { minLength: 1, maxLength: 15 }).map(list => list.join(','))
  const all: Record<string, Words[]> = {
    time: [
      match('time', maybe(daytime.map(value => `--timestart ${value}`)), maybe(daytime.map(value => `--timestop ${value}`)), maybe(date.map(value => `--datestart ${value}`)),
        maybe(date.map(value => `--datestop ${value}`)), fc.constantFrom('', '--kerneltz')),
      match('time', option('weekdays', some(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'])), option('monthdays', some(['1', '2', '12', '23', '30', '31']))),
    ],
    // The tool's files have no longer words than 1023 letters.
    u32: [match('u32', option('u32', fc.array(test, { minLength: 1, maxLength: 10 }).map(tests => `"${tests.join('&&')}"`).filter(text => text.length < 800)))],
    bpf: [match('bpf', fc.array(instruction, { minLength: 0, maxLength: 40 }).map(list => `--bytecode "${[list.length + 1, ...list, '6 0 0 1'].join(',')}"`))],
    policy: /OUTPUT|POSTROUTING/.test(place) ? [] : [match('policy', fc.constant('--dir in --pol ipsec --strict'), fc.array(element, { minLength: 1, maxLength: 4 }).map(list => list.join(' --next ')))],
    // The tool prints masks of nodes above the sixth that it does not take again.
    cluster: [match('cluster', number(1, 32).chain(total => fc.tuple(fc.constant(`--cluster-total-nodes ${total}`), option('cluster-local-node', number(1, Math.min(6, Number(total)))))).map(parts => parts.join(' ')),
      option('cluster-hash-seed', hex(0xffffffff), false))],
    connlabel: [match('connlabel', option('label', number(0, 127)), fc.constantFrom('', '--set'))],
    hashlimit: [match('hashlimit', option('hashlimit-above', fc.tuple(number(1, 1000), fc.constantFrom('sec', 'min', 'hour')).map(parts => parts.join('/')), false),
      word.map(name => `--hashlimit-name ${name} --hashlimit-rate-match`), maybe(option('hashlimit-rate-interval', number(1, 1000), false)))],
    frag: [match('frag', maybe(option('fragid', fc.oneof(number(0, 0xffffffff), span(0xfffffffe, 1)))), maybe(length('fraglen')), fc.constantFrom('', '--fragres --fragmore', '--fragfirst --fraglast'))],
    dst: [match('dst', maybe(length('dst-len')), maybe(option('dst-opts', headerOptions, false)))],
    hbh: [match('hbh', maybe(length('hbh-len')), maybe(option('hbh-opts', headerOptions, false)))],
    rt: [match('rt', maybe(option('rt-segsleft', fc.oneof(number(0, 0xffffffff), span(0xfffffffe, 1)))), maybe(length('rt-len')),
      fc.oneof(maybe(length('rt-type')), fc.array(addresses.ip6, { minLength: 1, maxLength: 16 }).map(list => `--rt-type 0 --rt-0-res --rt-0-addrs ${list.join(',')}`)))],
    srh: [match('srh', ...['next-hdr', 'hdr-len-gt', 'segs-left-eq', 'last-entry-lt'].map(name => maybe(option(`srh-${name}`, number(0, 255)))), maybe(option('srh-tag', number(0, 65535))),
      ...['psid', 'nsid', 'lsid'].map(name => maybe(option(`srh-${name}`, host))))],
    ipv6header: [match('ipv6header', option('header', some(['hop', 'dst', 'route', 'frag', 'auth', 'esp', 'none', 'prot'])), fc.constantFrom('', '--soft'))],
  }
  return Object.entries(all).filter(([name]) => there[family].has(name)).flatMap(([, words]) => words)
}

/** Matches that the kernel has, and the tool for this family. */
function rare(family: IptablesFamily): Set<string> {
  return new Set(Object.entries(matchCorpus).flatMap(([name, { ip = [], ip6 = [] }]) => {
    const [line] = family === 'ip6' && ip6.length > 0 ? ip6 : ip
    return line !== undefined && needs.iptablesRule(family, line) === undefined ? [name] : []
  }))
}
const there = { ip: rare('ip'), ip6: rare('ip6') }

/** A protocol with its own matches. */
function protocols(family: IptablesFamily): Words {
  const flags = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG']
  // A range of one port the tool refuses here.
  const wide = fc.oneof(port, span(65535).filter(text => new Set(text.split(':')).size > 1))
  const listed = fc.uniqueArray(wide, { minLength: 1, maxLength: 5 }).map(list => list.join(','))
  // The tool takes two negated ports for one comparison, which says something else: see `bothPorts`.
  const withPorts = (name: string): Words => fc.tuple(maybe(option('sport', ports, false)), maybe(option('dport', ports)))
    .map(said => `-p ${name} -m ${name} ${said.join(' ')}`)
  return fc.oneof(
    withPorts('tcp'), withPorts('udp'),
    fc.tuple(fc.constantFrom('', '! '), some(flags), some(flags), maybe(option('sport', ports, false)), maybe(option('dport', ports)))
      .map(([not, all, set, from, to]) => `-p tcp -m tcp ${not}--tcp-flags ${all} ${set} ${from} ${to}`),
    fc.tuple(fc.constantFrom('tcp', 'udp'), fc.constantFrom('', '! '), fc.constantFrom('sports', 'dports', 'ports'), listed)
      .map(([protocol, not, side, list]) => `-p ${protocol} -m multiport ${not}--${side} ${list}`),
    family === 'ip' ? fc.tuple(fc.constantFrom('', '! '), number(0, 254), maybe(number(0, 15).map(code => `/${code}`)))
      .map(([not, type, code]) => `-p icmp -m icmp ${not}--icmp-type ${type}${code}`)
      : fc.tuple(fc.constantFrom('', '! '), number(0, 254)).map(([not, type]) => `-p ipv6-icmp -m icmp6 ${not}--icmpv6-type ${type}`),
    number(1, 255).filter(value => value !== '1' && value !== '58').map(value => `-p ${value}`), fc.constant('! -p udp'), fc.constant(''),
    ...rareProtocols(family),
  )
}

/** Protocols with matches that the kernel may lack, where it has them. */
function rareProtocols(family: IptablesFamily): Words[] {
  const spis = fc.oneof(number(0, 0xffffffff), span(0xfffffffe, 1))
  const chunks = fc.subarray(['DATA', 'DATA:Be', 'DATA:iU', 'INIT', 'ABORT:T', 'ABORT:t', 'SACK', 'SHUTDOWN_COMPLETE:T', 'I_DATA', 'ASCONF', 'ASCONF_ACK', 'PAD'], { minLength: 1 }).map(list => list.join(','))
  const all: Record<string, Words[]> = {
    sctp: [match('sctp', maybe(option('sport', ports)), maybe(option('dport', ports)), fc.tuple(fc.constantFrom('', '! '), fc.constantFrom('any', 'all', 'only'), fc.oneof(chunks, fc.constantFrom('ALL', 'NONE')))
      .map(([not, kind, list]) => `${not}--chunk-types ${kind} ${list}`)).map(words => `-p sctp ${words}`)],
    dccp: [match('dccp', maybe(option('sport', ports)), maybe(option('dport', ports)), maybe(option('dccp-types', some(['REQUEST', 'DATA', 'ACK', 'CLOSE', 'RESET', 'SYNC', 'INVALID']))), maybe(option('dccp-option', number(1, 255))))
      .map(words => `-p dccp ${words}`)],
    ah: [match('ah', maybe(option('ahspi', spis)), ...(family === 'ip6' ? [maybe(option('ahlen', number(1, 0xffffffff))), fc.constantFrom('', '--ahres')] : [])).map(words => `-p ah ${words}`)],
    ipcomp: [match('ipcomp', option('ipcompspi', spis), fc.constantFrom('', '--compres')).map(words => `-p ipcomp ${words}`)],
    mh: [match('mh', maybe(option('mh-type', fc.oneof(number(0, 255), span(254, 1))))).map(words => `-p mh ${words}`)],
  }
  return Object.entries(all).filter(([name]) => there[family].has(name)).flatMap(([, words]) => words)
}

interface Target {
  place: string
  words: Words
  /** It wants a protocol with ports, or just TCP. */
  ports?: true | 'tcp'
}

function targets(family: IptablesFamily): Target[] {
  const address = addresses[family]
  const bracketed = (value: string): string => family === 'ip' ? value : `[${value}]`
  const flags = fc.constantFrom('', ' --random', ' --persistent', ' --random-fully')
  return [
    { place: 'filter FORWARD', words: fc.constantFrom('', '-j ACCEPT', '-j DROP', '-j RETURN', '-j USER', '-g USER') },
    { place: 'filter INPUT', words: fc.constantFrom(...family === 'ip' ? ['icmp-net-unreachable', 'icmp-admin-prohibited', 'icmp-proto-unreachable']
      : ['icmp6-no-route', 'icmp6-addr-unreachable', 'icmp6-policy-fail']).map(kind => `-j REJECT --reject-with ${kind}`) },
    { place: 'filter OUTPUT', words: fc.tuple(fc.stringMatching(/^[a-zA-Z0-9 :_.-]{1,28}$/), number(0, 7), fc.subarray(['--log-uid', '--log-ip-options']))
      .map(([prefix, level, more]) => ['-j LOG', `--log-prefix ${quoted(prefix)}`, `--log-level ${level}`, ...more].join(' ')) },
    { place: 'filter INPUT', words: fc.tuple(fc.stringMatching(/^[a-zA-Z0-9 :_.-]{1,60}$/), number(1, 65535))
      .map(([prefix, group]) => `-j NFLOG --nflog-group ${group} --nflog-prefix ${quoted(prefix)}`) },
    { place: 'mangle PREROUTING', words: fc.tuple(fc.constantFrom('set', 'xset', 'and', 'or', 'xor'), hex(0xffffffff), hex(0xffffffff))
      .map(([verb, value, bits]) => verb === 'set' ? `-j MARK --set-mark ${value}/${bits}` : verb === 'xset' ? `-j MARK --set-xmark ${value}/${bits}` : `-j MARK --${verb}-mark ${value}`) },
    { place: 'mangle PREROUTING', words: fc.tuple(fc.constantFrom('save', 'restore'), hex(0xffffffff), hex(0xffffffff))
      .map(([verb, ct, nf]) => `-j CONNMARK --${verb}-mark --nfmask ${nf} --ctmask ${ct}`) },
    { place: 'mangle FORWARD', words: fc.oneof(hex(63).map(value => `-j DSCP --set-dscp ${value}`),
      fc.tuple(hex(255), hex(255)).map(([value, bits]) => `-j TOS --set-tos ${value}/${bits}`)) },
    { place: 'mangle PREROUTING', words: fc.constantFrom('accept', 'drop', 'reject').map(type => `-j AUDIT --type ${type}`) },
    { place: 'security INPUT', words: fc.constantFrom('--save', '--restore').map(verb => `-j CONNSECMARK ${verb}`) },
    { place: 'mangle PREROUTING', words: fc.tuple(some(['src', 'dst', 'sport', 'dport', 'proto', 'ct']), number(1, 0xffffffff), hex(0xffffffff), maybe(number(0, 0xffffffff).map(more => ` --hmark-offset ${more}`)))
      .map(([tuple, mod, seed, more]) => `-j HMARK --hmark-tuple ${tuple} --hmark-mod ${mod} --hmark-rnd ${seed}${more}`) },
    { place: 'filter FORWARD', words: fc.tuple(number(1, 0xffff), word, fc.constantFrom('', ' --alarm')).map(([timeout, label, more]) => `-j IDLETIMER --timeout ${timeout} --label ${label}${more}`) },
    { place: 'mangle INPUT', words: fc.tuple(word, fc.integer({ min: 1, max: 8000 }), fc.integer({ min: 2, max: 500 }))
      .map(([name, interval, times]) => `-j RATEEST --rateest-name ${name} --rateest-interval ${interval}ms --rateest-ewmalog ${interval * times}ms`) },
    { place: 'filter INPUT', ports: 'tcp', words: fc.tuple(fc.subarray(['--sack-perm', '--timestamp', '--ecn']), maybe(number(0, 14).map(scale => `--wscale ${scale}`)), number(0, 65535))
      .map(([flags, scale, mss]) => ['-j SYNPROXY', ...flags, scale, `--mss ${mss}`].join(' ')) },
    { place: 'mangle FORWARD', ports: 'tcp', words: fc.uniqueArray(fc.integer({ min: 2, max: 255 }), { minLength: 1, maxLength: 6 }).map(list => `-j TCPOPTSTRIP --strip-options ${list.join(',')}`) },
    ...(family === 'ip' ? [{ place: 'mangle FORWARD', ports: 'tcp' as const, words: fc.tuple(fc.constantFrom(' --ecn-tcp-ece 0', ' --ecn-tcp-ece 1'), maybe(fc.constantFrom(' --ecn-tcp-cwr 0', ' --ecn-tcp-cwr 1')), maybe(number(0, 3).map(bits => ` --ecn-ip-ect ${bits}`)))
      .map(parts => `-j ECN${parts.join('')}`) }]
      : [{ place: 'mangle POSTROUTING', words: fc.tuple(hex(0xffff), hex(0xffff)).map(([from, to]) => `-j SNPT --src-pfx fd00:${from.slice(2)}::/48 --dst-pfx fd01:${to.slice(2)}:1::/56`) }]),
    ...(withSets ? [
      { place: 'filter FORWARD', words: fc.tuple(setUse, maybe(fc.constant(' --exist')), maybe(number(0, 4294967).map(time => ` --timeout ${time}`)), maybe(setUse.map(use => ` --del-set ${use}`)))
        .map(parts => `-j SET --add-set ${parts.join('')}`) },
      { place: 'mangle FORWARD', words: fc.tuple(setUse, fc.subarray(['--map-mark', '--map-prio', '--map-queue'], { minLength: 1 })).map(([use, what]) => `-j SET --map-set ${use} ${what.join(' ')}`) },
    ] : []),
    { place: 'mangle POSTROUTING', words: fc.tuple(fc.nat(0xffff), fc.nat(0xffff)).map(([major, minor]) => `-j CLASSIFY --set-class ${major.toString(16)}:${minor.toString(16)}`) },
    { place: 'raw PREROUTING', words: fc.oneof(number(0, 65535).map(zone => `-j CT --zone ${zone}`), fc.constantFrom('-j CT --notrack', '-j TRACE')) },
    { place: 'nat POSTROUTING', words: fc.tuple(address, flags).map(([to, more]) => `-j SNAT --to-source ${to}${more}`) },
    { place: 'nat POSTROUTING', ports: true, words: fc.tuple(address, pair(65535, 1)).map(([to, [from, last]]) => `-j SNAT --to-source ${bracketed(to)}:${from}-${last}`) },
    { place: 'nat POSTROUTING', ports: true, words: pair(65535, 1).map(([from, last]) => `-j MASQUERADE --to-ports ${from}-${last}`) },
    { place: 'nat PREROUTING', words: fc.tuple(ranges[family], fc.constantFrom('', ' --random', ' --persistent')).map(([to, more]) => `-j DNAT --to-destination ${to}${more}`) },
    { place: 'nat PREROUTING', ports: true, words: fc.tuple(address, number(1, 65535)).map(([to, port]) => `-j DNAT --to-destination ${bracketed(to)}:${port}`) },
    { place: 'nat PREROUTING', ports: true, words: pair(65535, 1).map(([from, last]) => `-j REDIRECT --to-ports ${from}-${last}`) },
  ]
}

/** Lines as for `restoreText`: table, chain, options. */
function lines(family: IptablesFamily): Words {
  return fc.constantFrom(...targets(family)).chain(({ place, words, ports: wantsPorts }) => {
    const way = /INPUT|PREROUTING/.test(place) ? 'i' : /FORWARD/.test(place) ? fc.constantFrom('i', 'o') : 'o'
    const link = (typeof way === 'string' ? fc.constant(way) : way).chain(letter => fc.tuple(fc.constantFrom('', '! '), device).map(([not, name]) => `${not}-${letter} ${name}`))
    const from = fc.tuple(fc.constantFrom('', '! '), fc.constantFrom('-s', '-d'), prefixes(family)).map(parts => `${parts[0]}${parts[1]} ${parts[2]}`)
    const protocol = wantsPorts === undefined ? protocols(family) : fc.constantFrom('-p tcp', ...(wantsPorts === true ? ['-p udp -m udp --dport 53'] : []))
    const own = fc.subarray(matches(family, place), { minLength: 0, maxLength: 2 }).chain(list => fc.tuple(...list))
    return fc.tuple(maybe(link), maybe(from), protocol, own, words)
      .map(([a, b, c, list, target]) => [place, a, b, c, ...list, target].filter(part => part !== '').join(' ').replace(/ +/g, ' '))
  })
}

/** Rules by table and chain; their expressions as the kernel has them. */
async function kernelRules(host: Host, family: IptablesFamily): Promise<unknown[]> {
  const { rules } = await host.firewall.ruleset({ family })
  return rules.map(({ table, chain, expressions }) => [table, chain, expressions])
}

async function makeSets({ netnsFd }: Host): Promise<void> {
  // A list of sets is of either family, and may have as many directions as one likes.
  if (withSets) await run('ipset', ['restore'], { netns: netnsFd, input: sets.map(name => `create ${name} list:set skbinfo counters\n`).join('') })
}

/** What a text for iptables-restore makes of the kernel, by us and by the tool; as iptables-save shows it. */
async function bothWays(family: IptablesFamily, input: string): Promise<string> {
  const [ours, theirs] = [await newHost(), await newHost()]
  await Promise.all([ours, theirs].map(makeSets))
  await ours.iptables.restore(input, { family })
  await restoreByTool(theirs, family, input)
  const shown = await savedByTool(theirs, family)
  expect(await savedByTool(ours, family)).toBe(shown)
  expect(await ours.iptables.save({ family })).toBe(shown)
  for (const table of tableNames) {
    if (shown.includes(`*${table}\n`)) expect(await ours.iptables.list({ family, table })).toBe(await listedByTool(theirs, family, table, '-L', '-nv'))
  }
  expect(await kernelRules(ours, family)).toEqual(await kernelRules(theirs, family))
  await Promise.all([ours.close(), theirs.close()])
  return shown
}

async function check(family: IptablesFamily, lines: readonly string[]): Promise<void> {
  const shown = await bothWays(family, restoreText(lines))
  // What the tool prints says some things that were left out, and is read as the tool reads it.
  expect(await bothWays(family, shown)).toBe(shown)
}

/** Where many lines fail, the first that fails by itself. */
async function checkAll(family: IptablesFamily, lines: readonly string[]): Promise<void> {
  try {
    await check(family, lines)
  } catch (error) {
    for (const line of lines) {
      await check(family, [line]).catch((cause: unknown) => { throw new Error(`${line}: ${String(cause)}`, { cause }) })
    }
    throw error
  }
}

test.each(['ip', 'ip6'] as const)('%s', async family => {
  const given = fc.array(lines(family), { minLength: 20, maxLength: 60 })
  // Shrinking would take minutes; a failure names its line.
  await fc.assert(fc.asyncProperty(given, lines => checkAll(family, lines)), { numRuns: RUNS, endOnFailure: true, ...seedOf(1) })
}, 60_000)
