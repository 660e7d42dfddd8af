/** Whatever virbr/nftables is given, it answers with a request, words or a VirbrError. */
import { expect, test } from 'vitest'
import { encodeBatch } from '../../src/nftables/batch.ts'
import { checkBatch } from '../../src/nftables/check.ts'
import * as nft from '../../src/nftables/index.ts'
import type { NftRequest } from '../../src/nftables/index.ts'
import { matches } from '../../src/nftables/iptables/matches/index.ts'
import { targets } from '../../src/nftables/iptables/targets/index.ts'
import { Complaints, neverRight, spoiled, wrongArguments, wrongValues } from '../support/hostile.ts'
import { patience } from '../support/patience.ts'

type Call = (...args: unknown[]) => unknown
const functions = new Map(Object.entries(nft).filter(([name, value]) => typeof value === 'function' && !isSelector(value) && !/^[A-Z]/.test(name))) as Map<string, Call>

/** Fields of packets and the like, wherever they stand in the vocabulary. */
const selectors: [name: string, selector: Call][] = Object.entries(nft).flatMap(([name, value]) => selectorsIn(name, value))

function isSelector(value: unknown): boolean {
  return typeof value === 'function' && has(value, 'load')
}

function selectorsIn(name: string, value: unknown): [string, Call][] {
  if (isSelector(value)) {
    const set = (value as { set?: Call }).set
    return [[name, value as Call], ...(set === undefined ? [] : [[`${name}.set`, set] as [string, Call]])]
  }
  if (typeof value === 'function') return name.includes('.') ? [[name, value as Call]] : []
  return typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([inner, part]) => selectorsIn(`${name}.${inner}`, part)) : []
}

function has(value: unknown, name: string): boolean {
  return (typeof value === 'function' || typeof value === 'object') && value !== null && name in value
}

/** As far as it goes without a kernel: requests are encoded, words stand in a rule. */
function carryOut(result: unknown): void {
  if (has(result, 'load')) return carryOut(has(result, 'types') ? nft.addTo('s', result as typeof nft.iifname) : nft.mark.set(result as nft.Source))
  if (!Array.isArray(result) && !has(result, 'operation')) return
  const list: unknown[] = Array.isArray(result) ? result : [result]
  const requests = list.some(each => has(each, 'operation')) ? list as NftRequest[] : [nft.addRule({
    family: 'ip', table: 't', chain: 'words', expressions: [nft.ip.protocol('tcp'), list as nft.RuleWords[number]],
  })]
  checkBatch(requests)
  encodeBatch(requests)
}

test('every function, with wrong values for all of its arguments', async () => {
  const complaints = new Complaints()
  for (const [name, call] of functions) {
    for (const given of wrongArguments()) await complaints.try(name, () => { carryOut(call(...given)) }, given)
  }
  expect(complaints.list).toEqual([])
}, 60_000 * patience)

test('every selector, compared with wrong values and set to them', async () => {
  const complaints = new Complaints()
  for (const [name, call] of selectors) {
    for (const value of wrongValues) await complaints.try(name, () => { carryOut(call(value)) }, [value])
  }
  expect(complaints.list).toEqual([])
})

const table = { family: 'ip', name: 't' } as const
const inTable = { family: 'ip', table: 't', name: 'n' } as const
const rule = { family: 'ip', table: 't', chain: 'c' } as const
const records = [{ type: 7, data: Uint8Array.of(1) }]
const owner = 'c7a5fdbd-cdaf-9455-926a-d65c16db1809'
const flagged = { random: true, fullyRandom: true, persistent: true }
const meta = { name: 'meta', data: { key: 'l4proto', dreg: 1 } }
const addressSet = { ...inTable, type: 'ipv4_addr' }
const addressMap = { ...addressSet, map: 'verdict' }

/** What the kernel has said: of that only the form is looked at, so each record stands here as one value. */
const record = (fields: object): object => Object.assign(Object.create({}) as object, fields)
const readRule = record({ ...rule, table: 'filter', handle: 1, expressions: [meta] })
const read = record({ table: 'filter', tables: [], chains: [], rules: [readRule], sets: [], objects: [], flowtables: [] })

/** Of each function arguments that are right, with every field that it documents. */
const valid: Record<string, readonly (readonly unknown[])[]> = {
  accept: [], cont: [], drop: [], last: [], notrack: [], ret: [],
  addTable: [[{ ...table, flags: ['dormant'], comment: 'c', exclusive: true }], [{ ...table, userdata: Uint8Array.of(7, 1, 1) }]],
  deleteTable: [[{ ...table, nonRecursive: true }]],
  replaceTable: [[{ ...table, flags: ['dormant'], comment: 'c' }, [nft.addChain({ ...inTable })]]],
  addChain: [
    [{ ...inTable, comment: 'c', exclusive: true }], [{ ...inTable, userdata: Uint8Array.of(7, 1, 1) }],
    [{ ...inTable, hook: 'input', type: 'filter', priority: 'filter + 1', policy: 'drop', counters: { packets: 1, bytes: 2 } }],
    [{ ...inTable, family: 'netdev', hook: 'ingress', priority: 1, devices: ['eth0', 'eth1'], offload: true }],
  ],
  renameChain: [[{ ...inTable, handle: 1, newName: 'm' }]],
  deleteChain: [[{ ...inTable, nonRecursive: true }]],
  flushChain: [[inTable]],
  replaceChain: [[inTable, [{ expressions: [nft.drop()], comment: 'c' }]]],
  addRule: [
    [{ ...rule, expressions: [nft.drop(), meta], insert: true, position: 1, comment: 'c', owner, records }],
    [{ ...rule, expressions: [], userdata: Uint8Array.of(7, 1, 1) }],
  ],
  replaceRule: [[{ ...rule, handle: 1, expressions: [nft.drop()], comment: 'c', owner, records }]],
  deleteRule: [[{ ...rule, handle: 1 }]],
  jumpTarget: [[readRule]],
  addSet: [
    [{ ...addressSet, flags: ['interval', 'dynamic'], autoMerge: true, timeoutMs: 1, gcIntervalMs: 2, size: 3, policy: 'memory', comment: 'c', exclusive: true }],
    [{ ...addressSet, type: ['ipv4_addr', { type: 'integer', size: 4 }], map: ['ipv4_addr', 'inet_service'], mapInterval: true, statements: [nft.counter()] }],
    [{ ...addressSet, map: { object: 'counter' } }], [addressMap],
  ],
  deleteSet: [[inTable]],
  flushSet: [[inTable]],
  addElements: [
    [addressSet, ['10.0.0.1', { key: '10.0.0.2', timeoutMs: 1, expirationMs: 1, comment: 'c', statements: [nft.counter()] }], { exclusive: true }],
    [{ ...addressSet, flags: ['interval'], autoMerge: true }, ['10.0.0.0/8', { from: '11.0.0.1', to: '11.0.0.9' }]],
    [{ ...addressSet, type: ['ipv4_addr', 'inet_service'] }, [['10.0.0.1', 80], { key: ['10.0.0.1', 81] }]],
    [addressMap, [['10.0.0.1', 'accept'], { key: '10.0.0.2', data: 'jump c' }]], [addressMap, { '10.0.0.1': 'drop' }],
    [{ ...addressSet, map: { object: 'counter' } }, [['10.0.0.1', 'k']]],
    [{ ...addressSet, map: ['ipv4_addr', 'inet_service'], mapInterval: true }, [['10.0.0.1', ['10.0.0.1-10.0.0.9', 80]]]],
  ],
  deleteElements: [[addressSet, ['10.0.0.1', { key: '10.0.0.2' }]]],
  addFlowtable: [[{ ...inTable, priority: 1, devices: ['eth0'], flags: ['counter'], exclusive: true }]],
  deleteFlowtable: [[inTable]],
  addObject: [
    [{ ...inTable, type: 'counter', packets: 1, bytes: 2, comment: 'c', exclusive: true }],
    [{ ...inTable, type: 'quota', bytes: 1, used: 1, over: true }],
    [{ ...inTable, type: 'limit', rate: 1, per: 'second', burst: 2, unit: 'packets', over: true }],
    [{ ...inTable, type: 'connlimit', count: 1, over: true }],
    [{ ...inTable, type: 'synproxy', mss: 1460, wscale: 7, timestamp: true, sackPerm: true }],
    [{ ...inTable, type: 'secmark', context: 'x' }],
    [{ ...inTable, type: 'ct helper', helper: 'ftp', protocol: 'tcp', l3proto: 'ip' }],
    [{ ...inTable, type: 'ct timeout', protocol: 'tcp', l3proto: 'ip', policy: { established: 5 } }],
    [{ ...inTable, type: 'ct expectation', protocol: 'tcp', l3proto: 'ip', dport: 80, timeoutMs: 1, size: 1 }],
    [{
      ...inTable, family: 'netdev', type: 'tunnel', id: 1, ip: { src: '10.0.0.1', dst: '10.0.0.2' }, flags: ['zero-csum-tx'], tos: 1, ttl: 2, sport: 3,
      dport: 4, options: { erspan: { version: 2, direction: 1, hwid: 1 } },
    }],
  ],
  deleteObject: [[{ ...inTable, type: 'counter' }]],
  addTo: [['s', nft.ip.saddr, { timeoutMs: 1, statements: [nft.counter()] }], ['s', nft.ip.saddr, { data: 1 }]],
  updateIn: [['s', nft.ip.saddr, { timeoutMs: 1, data: '10.0.0.1', statements: [nft.counter()] }]],
  deleteFrom: [['s', nft.ip.saddr]],
  map: [[nft.iifname, { eth0: 1 }], [nft.tcp.dport, [[80, 1]]], [nft.mark, { set: 's', interval: true }]],
  vmap: [[nft.iifname, { eth0: 'accept' }], [nft.tcp.dport, [[80, 'drop']]], [nft.mark, { set: 's', interval: true }]],
  concat: [[nft.ip.saddr, nft.tcp.dport]],
  and: [[nft.mark, 1]], or: [[nft.mark, 1]], xor: [[nft.mark, 1]], shiftLeft: [[nft.mark, 1]], shiftRight: [[nft.mark, 1]],
  lt: [], lte: [], gt: [], gte: [], masked: [], range: [],
  not: [[nft.ip.saddr('10.0.0.1')]],
  jump: [['c']], goto: [['c']],
  counter: [[{ packets: 1, bytes: 2 }], ['k']],
  limit: [[{ rate: 1, per: 'second', burst: 2, unit: 'packets', over: true }]],
  quota: [[{ bytes: 1, used: 1, over: true }]],
  log: [[{ prefix: 'p', level: 'info', flags: ['skuid'] }], [{ group: 1, snaplen: 2, queueThreshold: 3 }]],
  queue: [[{ num: [1, 2], bypass: true, fanout: true }], [{ num: 1 }]],
  reject: [['icmp net-unreachable']],
  synproxy: [[{ mss: 1460, wscale: 7, timestamp: true, sackPerm: true }]],
  flowAdd: [['f']],
  masquerade: [[{ ports: [1, 2], ...flagged }]],
  redirect: [[{ ports: 80, ...flagged }]],
  snat: [[{ address: ['10.0.0.1', '10.0.0.2'], ports: 80, family: 'ip', ...flagged }]],
  dnat: [
    [{ address: '10.0.0.0/24', netmap: true, family: 'ip', ...flagged }], [{ to: '10.0.0.1:80', family: 'ip', ...flagged }],
    [{ to: nft.map(nft.tcp.dport, '@m'), withPorts: true, family: 'ip', ...flagged }],
  ],
  tproxy: [[{ address: '10.0.0.1', port: 80 }]],
  dup: [[{ address: '10.0.0.1', device: 1 }], [{ device: 1 }]],
  fwd: [[{ device: 1, address: '10.0.0.1' }]],
  connectionCount: [[1], [{ over: 1 }]],
  ctState: [['new', 'established']],
  fib: [[['saddr', 'iif'], 'oif']],
  ipsec: [['in', { spnum: 1 }]],
  jhash: [[nft.ip.saddr, { mod: 2, seed: 1, offset: 1 }]],
  numgen: [[{ mode: 'inc', mod: 2, offset: 1 }]],
  symhash: [[{ mod: 2, offset: 1 }]],
  osf: [[{ ttl: 'loose', version: true }]],
  nfproto: [['ip']],
  payload: [['th', 0, 16]],
  iptablesRule: [
    [{
      family: 'ip', table: 'filter', chain: 'FORWARD', in: 'eth0', out: { not: 'eth1' }, source: '10.0.0.0/8', destination: { not: '10.0.0.1' }, protocol: 'tcp',
      fragment: true, sport: 80, dport: { not: [1, 2] }, ctState: ['NEW'], matches: [{ mark: { mark: { value: 1, mask: 1 } } }, { unknown: { name: 'u', expressions: [meta] } }],
      comment: 'c', target: { REJECT: { rejectWith: 'tcp-reset' } }, counters: { packets: 1, bytes: 2 },
    }],
    [{ family: 'ip', target: { jump: 'X' } }], [{ family: 'ip', target: { goto: 'X' } }], [{ family: 'ip', target: 'ACCEPT' }],
    [{ family: 'ip', target: { unknown: { name: 'u', expressions: [meta] } } }],
  ],
  parseIptablesRule: [['-A INPUT -j ACCEPT', { family: 'ip', table: 'filter' }]],
  parseIptablesCommand: [['-A INPUT -j ACCEPT', { family: 'ip', table: 'filter' }]],
  formatIptablesList: [[read, { chain: 'INPUT', verbose: true, exact: true, lineNumbers: true }]],
  formatIptablesRules: [[read, { chain: 'INPUT', number: 1, counters: true }]],
  formatIptablesSave: [[readRule]],
  formatIptablesSaveTable: [[read, { counters: true }]],
  ruleToNft: [[readRule, []]],
  rulesetToNft: [[read]],
}

test('every function has arguments that are right', () => {
  expect(Object.keys(valid).sort()).toEqual([...functions.keys()].sort())
  for (const [name, call] of functions) for (const given of valid[name] ?? []) carryOut(call(...given))
})

test('every field of them, with each wrong value in its place', async () => {
  const complaints = new Complaints()
  for (const [name, call] of functions) {
    for (const arguments_ of valid[name] ?? []) {
      for (const [path, given] of spoiled(arguments_, wrongValues)) await complaints.try(`${name}${path}`, () => { carryOut(call(...given)) }, given)
    }
  }
  expect(complaints.list).toEqual([])
}, 60_000 * patience)

test('no field takes what is right nowhere', async () => {
  const complaints = new Complaints()
  for (const [name, call] of functions) {
    for (const arguments_ of valid[name] ?? []) {
      for (const [path, given] of spoiled(arguments_, neverRight)) {
        // Attributes of requests have names of their own.
        await complaints.refused(name, path, () => { carryOut(call(...given)) }, given, { named: false })
      }
    }
  }
  expect(complaints.list).toEqual([])
}, 60_000 * patience)

test('a misspelled field is told with its name', () => {
  const wrong: [string, () => unknown][] = [
    ['table.coment', () => nft.addTable({ ...table, coment: 'x' } as never)],
    ['chain.priorty', () => nft.addChain({ ...inTable, hook: 'input', priorty: 'filter' } as never)],
    ['rule.coment', () => nft.addRule({ ...rule, expressions: [], coment: 'x' } as never)],
    ['rule.postion', () => nft.replaceRule({ ...rule, expressions: [], handle: 5, postion: 1 } as never)],
    ['set.timeout', () => nft.addSet({ ...inTable, type: 'mark', timeout: 5 } as never)],
    ['object.packts', () => nft.addObject({ ...inTable, type: 'counter', packts: 5 } as never)],
    ['flowtable.device', () => nft.addFlowtable({ ...inTable, device: 'eth0', devices: [] } as never)],
    ['counter.packet', () => nft.counter({ packet: 1 } as never)],
    ['limit.brust', () => nft.limit({ rate: 1, per: 'second', brust: 2 } as never)],
    ['quota.overt', () => nft.quota({ bytes: 5, overt: true } as never)],
    ['synproxy.timestamps', () => nft.synproxy({ timestamps: true } as never)],
    ['log.prefx', () => nft.log({ prefx: 'x' } as never)],
    ['queue.bypas', () => nft.queue({ bypas: true } as never)],
    ['masquerade.randm', () => nft.masquerade({ randm: true } as never)],
    ['redirect.port', () => nft.redirect({ port: 80 } as never)],
    ['snat.adress', () => nft.snat({ adress: '10.0.0.1' } as never)],
    ['dnat.port', () => nft.dnat({ address: '10.0.0.1', port: 80 } as never)],
    ['tproxy.ports', () => nft.tproxy({ ports: 80 } as never)],
    ['dup.dev', () => nft.dup({ dev: 1 } as never)],
    ['fwd.dev', () => nft.fwd({ device: 1, dev: 1 } as never)],
    ['numgen.modulus', () => nft.numgen({ mode: 'inc', mod: 2, modulus: 2 } as never)],
  ]
  for (const [field, call] of wrong) expect(call, field).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field }) as Error)
})

const extensions = [
  ...Object.values(matches).map(extension => ({ ...extension, rule: (part: object) => ({ matches: [part] }) })),
  ...Object.values(targets).map(extension => ({ ...extension, rule: (part: object) => ({ target: part }) })),
]

test('every option of iptables’ extensions', async () => {
  const complaints = new Complaints()
  for (const { name, options, rule: ruleOf } of extensions) {
    for (const option of Object.keys(options)) {
      const call = (value: unknown, family = 'ip'): unknown =>
        nft.iptablesRule({ family, protocol: 'tcp', ...ruleOf({ [name]: { [option]: value } }) } as Parameters<typeof nft.iptablesRule>[0])
      for (const value of [...wrongValues, { value: null }, { mask: null, set: null }]) {
        for (const given of [value, { not: value }]) {
          for (const family of ['ip', 'ip6']) await complaints.try(`${name}.${option}`, () => call(given, family), [given])
        }
      }
      for (const value of neverRight) await complaints.refused(name, `.${option}`, () => call(value), [value], { named: false })
    }
  }
  expect(complaints.list).toEqual([])
})
