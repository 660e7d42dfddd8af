/** Every option of every extension: bytes as iptables-nft sends them, text as iptables-nft prints it. */
import { describe, expect, test } from 'vitest'
import { InvalidArgumentError } from '../../src/errors.ts'
import type { Host } from '../../src/host/host.ts'
import { encodeRequests } from '../../src/netlink/message.ts'
import { NLMSG_HDRLEN } from '../../src/netlink/constants.ts'
import { walkAttributes } from '../../src/netlink/table.ts'
import type { Expression } from '../../src/nftables/expressions.ts'
import { matches } from '../../src/nftables/iptables/matches/index.ts'
import { parseIptablesCommand, parseIptablesRule } from '../../src/nftables/iptables/parse.ts'
import { readRule } from '../../src/nftables/iptables/read.ts'
import { iptablesRule } from '../../src/nftables/iptables/rule.ts'
import type { IptablesMatch, IptablesTarget } from '../../src/nftables/iptables/rule.ts'
import { formatIptablesRules, formatIptablesSaveTable } from '../../src/nftables/iptables/save.ts'
import { formatIptablesList } from '../../src/nftables/iptables/list.ts'
import { tableNames } from '../../src/nftables/iptables/names.ts'
import type { IptablesTableName } from '../../src/nftables/iptables/names.ts'
import { optionName, readInput } from '../../src/nftables/iptables/extension.ts'
import type { Extension } from '../../src/nftables/iptables/extension.ts'
import { targets } from '../../src/nftables/iptables/targets/index.ts'
import { partList, ruleSave } from '../../src/nftables/iptables/text.ts'
import type { IptablesFamily } from '../../src/nftables/iptables/values.ts'
import { splitWords } from '../../src/nftables/iptables/words.ts'
import { addRule } from '../../src/nftables/rules.ts'
import { newHost } from '../host/support.ts'
import { run, tryRun } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'
import { straceBytes } from '../support/strace.ts'
import { NFTA_RULE_EXPRESSIONS, NFT_MSG_NEWRULE } from '../../src/nftables/constants.ts'
import { messageType, nfgenmsg } from '../../src/nftables/messages.ts'
import { corpus, lacking } from './iptables_corpus.ts'
import { matchCorpus } from './iptables_match_corpus.ts'
import { listedByTool, restoreByTool, restoreText, savedByTool, tools } from './iptables_support.ts'

const families = ['ip', 'ip6'] as const
const real = needing(needs.kernel('iptablesNft'), needs.kernel('iptablesChecksum'))

async function expectSameWords(family: IptablesFamily, lines: readonly string[]): Promise<void> {
  const host = await newHost()
  await restoreByTool(host, family, restoreText(lines))
  await expectSameListings(host, family)
}

async function expectSameListings(host: Host, family: IptablesFamily): Promise<void> {
  const chains = await host.firewall.chains({ family })
  for (const table of tableNames) {
    if (!(await host.firewall.tables({ family })).some(({ name }) => name === table)) continue
    const rules = await host.firewall.rules({ family, table })
    const given = { table, chains, rules }
    expect(formatIptablesSaveTable(given).split('\n')).toEqual((await savedByTool(host, family, '-t', table)).split('\n'))
    expect(formatIptablesRules(given).split('\n')).toEqual((await listedByTool(host, family, table, '-S')).split('\n'))
    expect(formatIptablesList(given).split('\n')).toEqual((await listedByTool(host, family, table, '-L', '-nv')).split('\n'))
    expect(formatIptablesList(given, { verbose: false })).toBe(await listedByTool(host, family, table, '-L', '-n'))
    expect(formatIptablesList(given, { exact: true, lineNumbers: true }))
      .toBe(await listedByTool(host, family, table, '-L', '-nvx', '--line-numbers'))
  }
}

real.test.each(families)('what iptables wrote we print as it does, %s', async family => {
  await expectSameWords(family, corpus[family])
})

for (const [name, lines] of Object.entries(matchCorpus)) {
  const first = lines.ip?.[0] ?? lines.ip6?.[0] ?? ''
  needing(needs.iptablesRule(lines.ip === undefined ? 'ip6' : 'ip', first)).test(`what iptables wrote we print as it does, match ${name}`, async () => {
    for (const family of families) if (lines[family] !== undefined) await expectSameWords(family, lines[family])
  })
}

/** A match or target that is now written as expressions of nf_tables, as the struct that older versions wrote. */
function asStruct(part: object, family: IptablesFamily): object {
  const [[name = '', input = {}] = []] = Object.entries(part) as [string, object][]
  const kind = Object.hasOwn(targets, name) ? 'target' as const : 'match' as const
  const extension = ({ ...matches, ...targets } as unknown as Record<string, Extension>)[name]
  if (extension?.native === undefined) return part
  // Its own checks were made when the line was read.
  const given = readInput({ ...extension, protocols: undefined }, input, '', { family })
  const data = { name: extension.xt, revision: extension.revision(family), info: extension.encode(given, { family }) }
  return { unknown: { name, expressions: [{ name: kind, data }] } }
}

real.test.each(families)('what older versions wrote as extensions we print as this one does, %s', async family => {
  const host = await newHost()
  await host.iptables.newChain('USER', { family })
  let older = 0
  for (const line of corpus[family]) {
    const [table = '', chain = ''] = line.split(' ')
    const rule = parseIptablesRule(line.slice(table.length + chain.length + 2), { family, table })
    const struct = {
      ...rule, matches: rule.matches?.map(each => asStruct(each, family) as IptablesMatch),
      target: typeof rule.target === 'object' ? asStruct(rule.target, family) as IptablesTarget : rule.target,
    }
    if (!JSON.stringify(struct).includes('"unknown"')) continue
    older++
    await host.iptables.append(chain, struct, { family, table: table as IptablesTableName })
  }
  expect(older).toBeGreaterThan(family === 'ip' ? 40 : 1)
  await expectSameListings(host, family)
})

/** The tree of a rule's expressions, types and payloads: libnftnl leaves old bytes in the padding between attributes. */
function attributeTree(message: Buffer): string[] {
  const lines: string[] = []
  const visit = (start: number, end: number, depth: number): void => {
    for (const [type, from, to] of walkAttributes(message, start, end)) {
      const nested = (message.readUInt16LE(from - 2) & 0x8000) !== 0
      if (depth === 0 && type !== NFTA_RULE_EXPRESSIONS) continue
      lines.push(`${' '.repeat(depth)}${type}${nested ? '' : ` ${message.toString('hex', from, to)}`}`)
      if (nested) visit(from, to, depth + 1)
    }
  }
  visit(NLMSG_HDRLEN + nfgenmsg.size, message.length, 0)
  return lines
}

const traced = needing(needs.tool('strace'), needs.kernel('iptablesNft'), needs.kernel('iptablesChecksum'))
/** The rules of a text for iptables-restore, by the tool, whether the kernel takes them or not. */
async function theirRules(family: IptablesFamily, input: string): Promise<string[][]> {
  const messages = await straceBytes(['sh', '-c', `${tools[family]}-restore <<'RULES' || true\n${input}RULES\n`])
  return messages.filter(({ type }) => type === messageType(NFT_MSG_NEWRULE)).map(({ bytes }) => attributeTree(bytes))
}

function ourRules(family: IptablesFamily, input: string): [line: string, expressions: Expression[]][] {
  let table = ''
  return input.split('\n').flatMap(line => {
    if (line.startsWith('*')) table = line.slice(1)
    if (!line.startsWith('-A')) return []
    const { chain = '', rules: [rule] } = parseIptablesCommand(line, { family, table })
    return [[`${table} ${line}`, iptablesRule({ family, table, chain, ...rule })]]
  })
}

async function expectSameBytes(family: IptablesFamily, lines: readonly string[]): Promise<void> {
  const input = restoreText(lines)
  const theirs = await theirRules(family, input)
  const ours = ourRules(family, input).map(([line, expressions]) =>
    [line, attributeTree(encodeRequests([addRule({ family, table: 'filter', chain: 'c', expressions })]))])
  expect(theirs).toHaveLength(ours.length)
  // Each line beside its bytes, so that a difference shows whose it is.
  expect(ours).toEqual(ours.map(([line], index) => [line, theirs[index]]))
}

traced.test.each(families)('what we write is what iptables writes, %s', async family => {
  await expectSameBytes(family, corpus[family])
})

traced.test.each(families)('what this kernel may lack: bytes as iptables sends them, %s', async family => {
  const lines = [...lacking[family], ...Object.values(matchCorpus).flatMap(each => each[family] ?? [])]
  // The tool stops at the first table that the kernel does not take.
  for (const table of tableNames) await expectSameBytes(family, lines.filter(line => line.startsWith(`${table} `)))
})

traced.test.each(families)('what every kernel lacks, or lacks at first: words as iptables says them, %s', async family => {
  const host = await newHost()
  for (const line of lacking[family]) {
    const [table = '', chain = '', ...options] = splitWords(line)
    const { status, stdout } = await tryRun(tools[family], ['-v', '-t', table, '-A', chain, ...options], { netns: host.netnsFd })
    const said = /-> \S+ {2}(.*)\n$/.exec(stdout)?.[1]
    const [[, expressions = []] = []] = ourRules(family, restoreText([line]))
    const read = readRule(family, { expressions })
    expect([...read.matches, read.target?.part].map(part => partList(part, { family })).join('').trimStart(), line).toBe(said?.trimStart())
    // What it would print of the rule is read as the same rule.
    const saved = ourRules(family, restoreText([`${table} ${chain} ${ruleSave(family, read)}`]))
    expect(saved.map(([, again]) => again)).toEqual([expressions])
    if (status === 0) {
      expect(await host.iptables.listRules({ family, table: table as IptablesTableName })).toBe(await listedByTool(host, family, table, '-S'))
    }
  }
})

/** The options in a help text. */
const optionsIn = (help: string): string[] => [...help.matchAll(/--([a-z][a-z\d-]*)/g)].map(([, name]) => name ?? '')

needing(needs.kernel('iptablesNft'), needs.library('xtables/libxt_AUDIT.so')).test('every match and target that the tool brings, with each of its options', async () => {
  const files = (await run('sh', ['-c', 'ls /usr/lib/*/xtables /usr/lib*/xtables 2>/dev/null || true'])).split('\n')
  // NAT is the file of SNAT, DNAT, MASQUERADE and REDIRECT; `standard` is what verdicts and jumps are for the tool.
  const found = new Set(files.flatMap(file => /^lib(?:xt|ipt|ip6t)_(\w+)\.so$/.exec(file)?.[1] ?? []).filter(name => !['NAT', 'standard'].includes(name)))
  const ours = [...Object.values(matches), ...Object.values(targets)] as unknown as Extension[]
  expect([...found].filter(name => !ours.some(each => each.name === name))).toEqual([])
  // Later versions of the tool have left some behind.
  const all = ours.filter(({ name }) => found.has(name))
  const general = { ip: optionsIn(await run(tools.ip, ['-h'])), ip6: optionsIn(await run(tools.ip6, ['-h'])) }
  const unknown = await Promise.all(all.map(async ({ name, families: [family = 'ip'] = [], options }) => {
    const known = Object.keys(options).map(optionName)
    const said = optionsIn(await run(tools[family], [Object.hasOwn(targets, name) ? '-j' : '-m', name, '-h']))
    expect([name, said.length > general[family].length || known.length === 0]).toEqual([name, true])
    return said.filter(option => !general[family].includes(option) && !known.includes(option)).map(option => `${name} --${option}`)
  }))
  expect(unknown.flat()).toEqual([])
})

describe('refuses by name', () => {
  const refused: [text: string, start: string, family?: 'ip' | 'ip6'][] = [
    ['-A INPUT --dport 80 -j ACCEPT', '--dport: expected --dport behind -p tcp or -p udp only with'],
    ['-A INPUT -p tcp --dpotr 80', '--dpotr: expected one of iptables’ options; did you mean "--dport"?'],
    ['-A INPUT -p tcp --dport 80:70', '--dport: expected a port from 0 to 65535'],
    ['-A INPUT -p tcp --dport http', '--dport: expected a port'],
    ['-A INPUT -s fd00::1', '-s: expected an IPv4 address'],
    ['-A INPUT -s 10.0.0.1', '-s: expected an IPv6 address', 'ip6'],
    ['-A INPUT -s 10.0.0.0/33', '-s: expected an IPv4 address'],
    ['-A INPUT -p tpc', '-p: expected a number from 1 to 255 or one of'],
    ['-A INPUT -m conntrak --ctstate NEW', '-m: expected one of the matches'],
    ['-A INPUT -m conntrack --ctstate OLD', '--ctstate: expected some of INVALID, NEW'],
    ['-A INPUT -m conntrack', '--ctstate: expected at least one option of conntrack'],
    ['-A INPUT -m multiport --dports 1,2', '-m multiport: expected multiport only with protocol tcp, udp'],
    ['-A INPUT -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16', '--dports: expected up to 15 ports'],
    ['-A INPUT -p udp -j REJECT --reject-with tcp-reset', '--reject-with: expected tcp-reset only with protocol tcp'],
    ['-A INPUT -j REJECT --reject-with icmp6-no-route', '--reject-with: expected of family ip'],
    ['-A INPUT -j MASQUERADE', '-j MASQUERADE: expected MASQUERADE only in table nat, not in filter'],
    ['-t nat -A POSTROUTING -j MASQUERADE --to-ports 5', '--to-ports: expected ports only with protocol'],
    ['-t nat -A PREROUTING -p tcp -j DNAT --to-destination 1.2.3.9-1.2.3.4', '--to-destination: expected an address'],
    ['-t nat -A PREROUTING -p tcp -j DNAT --to-destination fd00::1', '--to-destination: expected an address'],
    ['-A INPUT -m limit --limit 20000/sec', '--limit: expected a rate'],
    ['-A INPUT -m comment --comment', '--comment: expected a value'],
    ['-A INPUT -o eth0', '-o: expected nothing in INPUT'],
    ['-A OUTPUT -i eth0', '-i: expected nothing in OUTPUT'],
    ['-A INPUT -i a/b', '-i: expected an interface name'],
    ['-A INPUT ! -j DROP -j ACCEPT', '-j: expected one target'],
    ['-A INPUT -m ttl ! --ttl-lt 5', '--ttl-lt: expected no ! before --ttl-lt'],
    ['-A INPUT -m iprange --src-range 10.0.0.9-10.0.0.1', '--src-range: expected an address'],
    ['-I INPUT 0 -j DROP', '-I: expected the number of a rule, from 1'],
    ['-A ACCEPT -j DROP', '-A: expected the name of a chain'],
    ['-A INPUT -f', '-f: expected nothing in family ip6', 'ip6'],
    ['-A INPUT -m comment --comment "open', 'rule: expected every " closed'],
    ['-A INPUT -m time --datestart 2026-02-30', '--datestart: expected a time from 1970 to 2038'],
    ['-A INPUT -m time ! --weekdays 1,2,3,4,5,6,7', '--weekdays: expected days that leave some'],
    ['-A INPUT -m time --utc --kerneltz', '--utc: expected nothing beside kerneltz'],
    ['-A INPUT -m time --timestart 9:00 --timestop 10:00 --contiguous', '--contiguous: expected a timestop that is before'],
    ['-A INPUT -m u32 --u32 "0=1&&2"', '--u32: expected tests like'],
    ['-A INPUT -m u32 --u32 "0>>32=1"', '--u32: expected tests like'],
    ['-A INPUT -m u32 --u32 "0<1=1"', '--u32: expected tests like'],
    ['-A INPUT -m u32 --u32 "0=1:2:3"', '--u32: expected tests like'],
    ['-A INPUT -m bpf --bytecode "2,6 0 0 1"', '--bytecode: expected a program like'],
    ['-A INPUT -m bpf --bytecode "1,6 0 256 1"', '--bytecode: expected a program like'],
    ['-A INPUT -p sctp --chunk-types any I_DATA:B', '--chunk-types: expected any, all or only'],
    ['-A INPUT -p sctp --chunk-types some DATA', '--chunk-types: expected any, all or only'],
    ['-A INPUT -m policy --dir in --pol none --reqid 1', '--reqid: expected nothing with pol none'],
    ['-A INPUT -m policy --dir in --reqid 1 --next --reqid 2', '--next: expected strict beside it'],
    ['-A INPUT -m policy --dir in --strict', '--strict: expected something of each element'],
    ['-A INPUT -m policy --dir in --tunnel-src 10.0.0.1', '--tunnel-src: expected it only with mode tunnel'],
    ['-A INPUT -m policy --dir in --strict --reqid 1 --reqid 2', '--reqid: expected --reqid only once'],
    ['-A INPUT -m policy --dir in --proto udp', '--proto: expected one of ah, esp, ipcomp'],
    ['-A INPUT -m cluster --cluster-total-nodes 2 --cluster-local-node 3 --cluster-hash-seed 1', '--cluster-local-node: expected some of the nodes, which are those from 1 to 2'],
    ['-A INPUT -m rateest --rateest x --rateest-lt', '--rateest-bps: expected rateestBps or rateestPps'],
    ['-A INPUT -m rateest --rateest x --rateest-bps 1xbit --rateest-lt', '--rateest-bps: expected nothing, or bits in a second'],
    ['-A INPUT -m cgroup --cgroup 1 --path /', '--cgroup: expected either cgroup or path'],
    ['-A INPUT -m ipvs ! --ipvs --vport 5', '--ipvs: expected no ! beside other options'],
    ['-A INPUT -m connlabel --label ssh', '--label: expected an integer from 0 to 127'],
    ['-A INPUT -p ah -m ah --ahlen 5', '--ahlen: expected nothing in family ip'],
    ['-A INPUT -m srh --srh-hdr-len-gt 5 --srh-hdr-len-lt 9', '--srh-hdr-len-lt: expected the same number', 'ip6'],
    ['-A INPUT -m rt --rt-0-res', '--rt-0-res: expected rtType 0 beside it', 'ip6'],
    ['-A INPUT -m dst --dst-opts 0:5', '--dst-opts: expected up to 16 options', 'ip6'],
    ['-A INPUT -m hashlimit --hashlimit-upto 5/sec --hashlimit-name x --hashlimit-rate-interval 5', '--hashlimit-rate-interval: expected hashlimitRateMatch'],
    // Of so few the tool makes 0b/s, which it does not take again, or with a burst divides by zero.
    ['-A INPUT -m hashlimit --hashlimit-upto 15b/s --hashlimit-name x', '--hashlimit-upto: expected a rate like'],
    ['-A INPUT -p 08', '-p: expected a number from 1 to 255'],
    ['-L', '-L: expected one of iptables’ options'],
    ['-A INPUT ACCEPT', 'rule: expected an option'],
    ['', 'command: expected a command'],
  ]
  test.each(refused)('%s', (text, start, family = 'ip') => {
    const parse = (): unknown => parseIptablesCommand(text, { family })
    expect(parse).toThrow(InvalidArgumentError)
    try {
      parse()
    } catch (error) {
      expect((error as Error).message.slice(0, start.length)).toBe(start)
    }
  })
})
