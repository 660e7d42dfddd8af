/** Rules, elements and maps in bulk: committed, replaced, read. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnyRequest } from '../../src/netlink/message.ts'
import {
  accept, addChain, addElements, addRule, addSet, addTable, counter, ctState, deleteTable, flushChain, flushSet, iifname, ip, replaceTable,
  tcp, vmap,
} from '../../src/nftables/index.ts'
import type { SetType } from '../../src/nftables/index.ts'
import {
  bench, countsIn, file, iptables, listTable, missingNft, netnsOf, nft, openChange, openDirectory, openReady, readyScript,
} from '../support/firewall.ts'
import type { Change, Peer } from '../support/firewall.ts'
import { timeMs } from '../support/job.ts'
import type { Contender, Contenders, Job, Unit } from '../support/job.ts'
import { addSteps, Recorder } from '../support/record.ts'
import { Replay, ReplayScript } from '../support/replay.ts'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const lines = (all: readonly string[]): string => `${all.join('\n')}\n`
const json = (commands: readonly object[]): string => JSON.stringify({ nftables: commands })

/* Rules of the usual sort, for virbr and for the programs. */

interface Usual {
  bridge: string
  subnet: string
  port: number
}

/** Other ports make other rules. */
const usual = (i: number, firstPort: number): Usual =>
  ({ bridge: `virbr${i % 256}`, subnet: `10.${i >> 8}.${i & 255}.0`, port: firstPort + i })

const rule = (chain: string, { bridge, subnet, port }: Usual): AnyRequest => addRule({
  ...bench, chain,
  expressions: [iifname(bridge), ip.saddr(`${subnet}/24`), tcp.dport(port), ctState('new', 'established'), counter(), accept()],
})
const nftRule = ({ bridge, subnet, port }: Usual): string =>
  `iifname ${bridge} ip saddr ${subnet}/24 tcp dport ${port} ct state new,established counter accept`
const jsonRule = (chain: string, { bridge, subnet, port }: Usual): object => ({
  rule: {
    ...bench, chain,
    expr: [
      { match: { op: '==', left: { meta: { key: 'iifname' } }, right: bridge } },
      { match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: { prefix: { addr: subnet, len: 24 } } } },
      { match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: port } },
      { match: { op: 'in', left: { ct: { key: 'state' } }, right: ['new', 'established'] } },
      { counter: null }, { accept: null },
    ],
  },
})
const iptablesWords = ({ bridge, subnet, port }: Usual): string =>
  `-A FORWARD -s ${subnet}/24 -i ${bridge} -p tcp -m tcp --dport ${port} -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT`

const table = addTable({ family: 'inet', name: 'bench' })
const noTable = deleteTable({ family: 'inet', name: 'bench' })
const hook = { hook: 'forward', type: 'filter', priority: 'filter' } as const
const forward = addChain({ ...bench, name: 'forward', ...hook })

/** A table with 5,000 rules, in each one's own language. */
const count = 5000
const filling = (firstPort: number): AnyRequest[] => [forward, ...numbers(count).map(i => rule('forward', usual(i, firstPort)))]
const nftFilling = (firstPort: number): string[] => [
  'table inet bench {', 'chain forward {', 'type filter hook forward priority filter; policy accept;',
  ...numbers(count).map(i => nftRule(usual(i, firstPort))), '}', '}',
]
const jsonTable = { table: { family: 'inet', name: 'bench' } }
const jsonFilling = (firstPort: number): object[] => [
  { add: jsonTable }, { add: { chain: { ...bench, name: 'forward', type: 'filter', hook: 'forward', prio: 0, policy: 'accept' } } },
  ...numbers(count).map(i => ({ add: jsonRule('forward', usual(i, firstPort)) })),
]
const iptablesFilling = (firstPort: number): string => lines([
  '*filter', ':INPUT ACCEPT [0:0]', ':FORWARD ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]',
  ...numbers(count).map(i => iptablesWords(usual(i, firstPort))), 'COMMIT',
])

/* The changes. */

const one = usual(7, 8000)

const appendRule = (): Change => ({
  setup: [table, addChain({ ...bench, name: 'guests' })],
  work: () => [rule('guests', one)],
  undo: [flushChain({ ...bench, name: 'guests' })],
  expects: { rules: 1, elements: 0 },
  async peers(directory) {
    const text = `add rule inet bench guests ${nftRule(one)}`
    const peers: Record<string, Peer> = {
      'nft -f': { argv: [nft, '-f', await file(directory, 'rule.nft', lines([text]))] },
      'nft -j -f': { argv: [nft, '-j', '-f', await file(directory, 'rule.json', json([{ add: jsonRule('guests', one) }]))] },
      'nft': { argv: [nft, text] },
    }
    const tools = iptables('iptables-nft', 'iptables-nft-restore')
    if (tools === undefined) return peers
    const [tool, restore] = tools
    const empty = await file(directory, 'empty', lines(['*filter', 'COMMIT']))
    peers['iptables-nft'] = {
      argv: [tool, ...iptablesWords(one).split(' ')], table: 'ip filter',
      setup: script => script.spawn([restore, empty]).spawn([tool, '-P', 'FORWARD', 'ACCEPT']),
      undo: script => script.spawn([tool, '-F', 'FORWARD']),
    }
    return peers
  },
})

/** As an agent does it that has much to do: the processor has not fallen asleep in between. */
const appendRules = (times: number): Change => {
  const { peers, ...change } = appendRule()
  return {
    ...change, times, expects: { rules: times, elements: 0 },
    peers: async directory => ({ 'nft -f': (await peers(directory))['nft -f'] as Peer }),
  }
}

const addRules = (): Change => ({
  setup: [],
  work: () => [table, ...filling(1000)],
  undo: [noTable],
  expects: { rules: count, elements: 0 },
  async peers(directory) {
    const peers: Record<string, Peer> = {
      'nft -f': { argv: [nft, '-f', await file(directory, 'rules.nft', lines(nftFilling(1000)))] },
      'nft -j -f': { argv: [nft, '-j', '-f', await file(directory, 'rules.json', json(jsonFilling(1000)))] },
    }
    const tools = iptables('iptables-nft-restore')
    if (tools === undefined) return peers
    peers['iptables-nft-restore'] = {
      argv: [tools[0], await file(directory, 'rules', iptablesFilling(1000))], table: 'ip filter',
      setup: () => undefined,
      undo: script => script.spawn([nft, 'delete table ip filter']),
    }
    return peers
  },
})

const replaceRules = (): Change => ({
  setup: [table, ...filling(1000)],
  work: () => replaceTable({ family: 'inet', name: 'bench' }, filling(2000)),
  undo: replaceTable({ family: 'inet', name: 'bench' }, filling(1000)),
  expects: { rules: count, elements: 0 },
  async peers(directory) {
    const peers: Record<string, Peer> = {
      'nft -f': {
        argv: [nft, '-f', await file(directory, 'rules.nft', lines(['table inet bench', 'delete table inet bench', ...nftFilling(2000)]))],
      },
      'nft -j -f': {
        argv: [nft, '-j', '-f', await file(directory, 'rules.json', json([{ add: jsonTable }, { delete: jsonTable }, ...jsonFilling(2000)]))],
      },
    }
    const tools = iptables('iptables-nft-restore')
    if (tools === undefined) return peers
    const [restore] = tools
    const before = [restore, await file(directory, 'before', iptablesFilling(1000))]
    peers['iptables-nft-restore'] = {
      argv: [restore, await file(directory, 'rules', iptablesFilling(2000))], table: 'ip filter',
      setup: script => script.spawn(before),
      undo: script => script.spawn(before),
    }
    return peers
  },
})

/** 20,000 elements of a set that is there. */
function addToSet<Key extends string | [string, number]>(
  type: SetType['type'], keyOf: (i: number) => Key, textOf: (key: Key) => string, jsonOf: (key: Key) => unknown,
): Change {
  const set = { ...bench, name: 'blocked', type }
  const keys = numbers(20_000).map(keyOf)
  return {
    setup: [table, addSet(set)],
    work: () => [addElements(set, keys)],
    undo: [flushSet(set)],
    expects: { rules: 0, elements: keys.length },
    async peers(directory) {
      const text = lines([`add element inet bench blocked { ${keys.map(textOf).join(', ')} }`])
      const command = { add: { element: { ...bench, name: 'blocked', elem: keys.map(jsonOf) } } }
      return {
        'nft -f': { argv: [nft, '-f', await file(directory, 'elements.nft', text)] },
        'nft -j -f': { argv: [nft, '-j', '-f', await file(directory, 'elements.json', json([command]))] },
      }
    },
  }
}

const address = (i: number): string => `10.${i >> 16}.${i >> 8 & 255}.${i & 255}`
const addAddresses = (): Change => addToSet<string>('ipv4_addr', address, key => key, key => key)
const addServices = (): Change => addToSet<[string, number]>(
  ['ipv4_addr', 'inet_service'], i => [address(i), 1 + i % 60_000], key => key.join(' . '), key => ({ concat: key }),
)

/** A map from interfaces to chains; afterwards each interface has the chain that was its neighbour's. */
const guests = 1000
const dispatch = { ...bench, name: 'dispatch', type: 'ifname', map: 'verdict' } as const
const chainOf = (i: number, shift: number): string => `guest${(i + shift) % guests}`
const entries = (shift: number): [string, string][] => numbers(guests).map(i => [`vnet${i}`, `goto ${chainOf(i, shift)}`])

const updateMap = (): Change => ({
  setup: [
    table, forward, ...numbers(guests).map(i => addChain({ ...bench, name: `guest${i}` })), addSet(dispatch), addElements(dispatch, entries(0)),
    addRule({ ...bench, chain: 'forward', expressions: [vmap(iifname, '@dispatch')] }),
  ],
  work: () => [flushSet(dispatch), addElements(dispatch, entries(1))],
  undo: [flushSet(dispatch), addElements(dispatch, entries(0))],
  expects: { rules: 1, elements: guests },
  async peers(directory) {
    const text = entries(1).map(([link, verdict]) => `${link} : ${verdict}`).join(', ')
    const map = { ...bench, name: 'dispatch' }
    const elem = numbers(guests).map(i => [`vnet${i}`, { goto: { target: chainOf(i, 1) } }])
    return {
      'nft -f': {
        argv: [nft, '-f', await file(directory, 'map.nft', lines(['flush map inet bench dispatch', `add element inet bench dispatch { ${text} }`]))],
      },
      'nft -j -f': { argv: [nft, '-j', '-f', await file(directory, 'map.json', json([{ flush: { map } }, { add: { element: { ...map, elem } } }]))] },
    }
  },
})

/* The dump. */

async function recordDump(setup: readonly AnyRequest[], directory: string): Promise<ReplayScript> {
  const recorder = new Recorder()
  try {
    const host = await openReady(setup)
    recorder.take()
    await host.firewall.ruleset()
    const script = readyScript(setup).section('work')
    await addSteps(script, recorder.take(), directory)
    await host.close()
    return script
  } finally {
    recorder.stop()
  }
}

async function dump(): Promise<Contenders | { skip: string }> {
  const missing = missingNft()
  if (missing !== undefined) return { skip: missing }
  const directory = await openDirectory()
  const setup = [table, ...filling(1000)]
  const lister = (...argv: string[]): ReplayScript => readyScript(setup).section('work').spawn(argv, { output: true })
  const scripts: Record<string, ReplayScript> = {
    'floor': await recordDump(setup, join(directory, 'recorded')),
    'nft -j list': lister(nft, '-j', 'list', 'ruleset'),
    'nft list': lister(nft, 'list', 'ruleset'),
  }
  const tools = iptables('iptables-nft-restore', 'iptables-nft-save')
  if (tools !== undefined) {
    const [restore, save] = tools
    const rules = await file(directory, 'rules', iptablesFilling(1000))
    scripts['iptables-nft-save'] = new ReplayScript().section('setup').spawn([restore, rules]).section('work').spawn([save], { output: true })
  }
  const host = await openReady(setup)
  const read = await host.firewall.ruleset()
  if (read.rules.length !== count + 1) throw new Error(`virbr read ${read.rules.length} rules`)
  const listed = await listTable(netnsOf(host), 'inet bench')
  const replays = new Map<string, Replay>()
  for (const [name, script] of Object.entries(scripts)) {
    const replay = await Replay.start(script, join(directory, name))
    await replay.run()
    const theirs = await listTable(replay.netns, name.startsWith('iptables') ? 'ip filter' : 'inet bench')
    if (name.startsWith('iptables') ? countsIn(theirs).rules !== count : theirs !== listed) throw new Error(`${name} has other rules to list`)
    replays.set(name, replay)
  }
  const { floor, ...peers } = Object.fromEntries([...replays].map(([name, replay]): [string, Contender] =>
    [name, async () => ((await replay.run())['work'] ?? NaN) / 1000]))
  return {
    ours: () => timeMs(() => host.firewall.ruleset()),
    floor, peers,
    async close() {
      await host.close()
      for (const replay of replays.values()) await replay[Symbol.asyncDispose]()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

const change = (name: string, about: string, make: () => Change, unit: Unit, rounds: number, warmup: number): Job =>
  ({ name: `firewall-${name}`, about, unit, rounds, warmup, open: () => openChange(make(), unit) })

const jobs: Job[] = [
  change('rule-1', 'append a rule to a chain', appendRule, 'us', 20, 10),
  change('rule-1-100', 'append a rule to a chain, 100 times in a row, each in a commit of its own', () => appendRules(100), 'ms', 10, 5),
  change('rules-5000', '5,000 rules in a new table, in one commit', addRules, 'ms', 10, 3),
  change('elements-20000', 'add 20,000 addresses to a set', addAddresses, 'ms', 10, 3),
  change('elements-20000-concat', 'add 20,000 addresses with ports to a set', addServices, 'ms', 10, 3),
  change('map-update-1000', 'replace the 1,000 entries of a map from interfaces to chains', updateMap, 'ms', 20, 5),
  change('replace-5000', 'replace a table of 5,000 rules', replaceRules, 'ms', 10, 3),
  { name: 'firewall-dump-5000', about: 'read 5,000 rules', unit: 'ms', rounds: 10, warmup: 3, open: dump },
]

export default jobs
