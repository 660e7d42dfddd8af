/** Rules as people write them: options of iptables(8), one command or one line of iptables-save. */
import { aString, check, fieldsOf } from '../../checks.ts'
import { InvalidArgumentError, didYouMean } from '../../errors.ts'
import { commands, general, ignored } from './commands.ts'
import type { IptablesCommand } from './commands.ts'
import { protocolNumberOf } from './protocols.ts'
import { fieldName, optionName, readValue } from './extension.ts'
import type { Extension, Options } from './extension.ts'
import { setNames } from './ipset.ts'
import { matches } from './matches/index.ts'
import { aFamily } from './names.ts'
import { checkChainName, iptablesRule } from './rule.ts'
import type { IptablesRule, IptablesTarget } from './rule.ts'
import { targets } from './targets/index.ts'
import type { IptablesFamily } from './values.ts'
import { splitWords } from './words.ts'

export interface ParseOptions {
  /** Default ip. */
  family?: IptablesFamily | undefined
  /** Where there is no `-t`: default filter. */
  table?: string | undefined
}

/** One rule. Accepts `-A CHAIN` and `-t TABLE`, and checks against them. Throws InvalidArgumentError. */
export function parseIptablesRule(text: string, options: ParseOptions = {}): IptablesRule {
  const words = wordsOf(text)
  // At the beginning, or behind the table: elsewhere it may be the value of an option.
  const [first, rest] = splitOption(words[words[0] === '-t' || words[0] === '--table' ? 2 : 0] ?? '')
  const hasCommand = Object.hasOwn(commands, first) && (rest === undefined || !first.startsWith('--'))
  const { rules } = new Parser(words, options, !hasCommand).parse()
  const [rule] = rules
  if (rule === undefined || rules.length > 1) throw new InvalidArgumentError('rule', text, 'one rule: one source and one destination')
  return rule
}

/** A whole command, `iptables` in front or not. Throws InvalidArgumentError, which names the option. */
export function parseIptablesCommand(text: string, options: ParseOptions = {}): IptablesCommand {
  return new Parser(wordsOf(text), options, false).parse()
}

function wordsOf(text: string): string[] {
  if (typeof text !== 'string') throw new InvalidArgumentError('rule', text, 'a line of options as iptables takes them')
  const words = splitWords(text)
  return /^(.*\/)?ip6?tables(-nft|-legacy)?$/.test(words[0] ?? '') ? words.slice(1) : words
}

/** `--option=value` and `-ptcp` are two words each. */
function splitOption(word: string): [option: string, value?: string] {
  const [, option, value] = /^(--[\w-]+)=(.*)$/s.exec(word) ?? /^(-[A-Za-z])(.+)$/s.exec(word) ?? []
  return option === undefined || value === undefined ? [word] : [option, value]
}

interface OpenMatch {
  extension: Extension
  input: Record<string, unknown>
  /** The last of what an option like `--next` begins. */
  further?: { options: Options, input: Record<string, unknown> }
}

class Parser {
  readonly #words: string[]
  readonly #family: IptablesFamily
  readonly #ruleOnly: boolean
  #at = 0
  #not = false
  #command: IptablesCommand
  #found = false
  #general: Record<string, { not: boolean, value: string }> = {}
  #fragment: IptablesRule['fragment']
  #matches: OpenMatch[] = []
  #target: OpenMatch | undefined
  /** Matches and the target, the last named first, as the tool looks for options. */
  #open: OpenMatch[] = []
  #verdict: IptablesTarget | undefined

  constructor(words: readonly string[], options: ParseOptions, ruleOnly: boolean) {
    const { family = 'ip', table = 'filter' } = fieldsOf('options', options)
    check('family', family, aFamily)
    check('table', table, aString)
    this.#words = [...words]
    this.#family = family
    this.#ruleOnly = ruleOnly
    this.#command = { command: 'append', table, rules: [] }
  }

  parse(): IptablesCommand {
    while (this.#at < this.#words.length) this.#option(this.#nextOption())
    if (this.#not) throw new InvalidArgumentError('rule', '!', 'an option behind !')
    if (!this.#found && !this.#ruleOnly) {
      throw new InvalidArgumentError('command', this.#words.join(' '), 'a command: -A, -I, -R, -D, -C, -N, -X, -E, -F, -P or -Z')
    }
    const { command, number } = this.#command
    const takesRule = ['append', 'insert', 'replace', 'check'].includes(command) || (command === 'delete' && number === undefined)
    const saysSome = Object.keys(this.#general).length + this.#matches.length > 0 ||
      (this.#verdict ?? this.#target ?? this.#fragment) !== undefined
    if (takesRule) this.#command.rules = this.#rules()
    else if (saysSome) throw new InvalidArgumentError('command', command, 'no options of a rule with this command')
    return this.#command
  }

  #nextOption(): string {
    const [option, value] = splitOption(this.#next(''))
    if (value !== undefined) this.#words.splice(this.#at, 0, value)
    return option
  }

  #next(option: string): string {
    const word = this.#words[this.#at++]
    if (word === undefined) throw new InvalidArgumentError(option, undefined, 'a value')
    return word
  }

  #peek(): string | undefined {
    const word = this.#words[this.#at]
    return word === undefined || word.startsWith('-') || word === '!' ? undefined : word
  }

  #option(word: string): void {
    if (word === '!') {
      this.#not = true
      return
    }
    const not = this.#not
    this.#not = false
    // `--new` is CLUSTERIP's too, and `--proto` policy's.
    if (this.#holder(word) !== undefined) this.#takeOption(word, not)
    else if (Object.hasOwn(commands, word)) this.#takeCommand(word)
    else if (Object.hasOwn(general, word)) {
      const field = general[word] ?? ''
      if (this.#general[field] !== undefined) throw new InvalidArgumentError(word, this.#words[this.#at], `${word} only once`)
      this.#general[field] = { not, value: this.#next(word) }
    } else if (word === '-f' || word === '--fragment') this.#fragment = not ? { not: true } : true
    else if (word === '-t' || word === '--table') this.#command.table = this.#next(word)
    else if (word === '-m' || word === '--match') this.#takeMatch(this.#next(word))
    else if (word === '-j' || word === '--jump') this.#takeTarget(this.#next(word))
    else if (word === '-g' || word === '--goto') this.#verdict = { goto: this.#next(word) }
    else if (word === '-c' || word === '--set-counters') {
      this.#command.counters = { packets: this.#counter(word), bytes: this.#counter(word) }
    } else if (ignored.includes(word)) {
      if ((word === '-w' || word === '--wait') && /^\d+$/.test(this.#peek() ?? '')) this.#at++
    } else this.#takeOption(word, not)
  }

  #counter(option: string): number {
    const word = this.#next(option)
    if (!/^\d+$/.test(word) || !Number.isSafeInteger(Number(word))) throw new InvalidArgumentError(option, word, 'packets and bytes, two numbers')
    return Number(word)
  }

  #takeCommand(word: string): void {
    const [command, follows] = commands[word] ?? ['append', 'C']
    if (this.#found || this.#ruleOnly) throw new InvalidArgumentError(word, this.#words.join(' '), 'one command')
    this.#found = true
    const number = (optional: boolean): number | undefined => {
      if (optional && !/^\d+$/.test(this.#peek() ?? '')) return undefined
      const text = this.#next(word)
      if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError(word, text, 'the number of a rule, from 1')
      return Number(text)
    }
    const chain = follows.startsWith('C') ? this.#next(word) : this.#peek() === undefined ? undefined : this.#next(word)
    Object.assign(this.#command, {
      command,
      chain: chain === undefined ? undefined : checkChainName(word, chain),
      number: follows.includes('n') && chain !== undefined ? number(true) : follows.includes('N') ? number(false) : undefined,
      policy: follows.includes('p') ? this.#policy(word) : undefined,
      newName: follows.includes('e') ? checkChainName(word, this.#next(word)) : undefined,
    })
  }

  #policy(word: string): string {
    const policy = this.#next(word)
    if (policy !== 'ACCEPT' && policy !== 'DROP') throw new InvalidArgumentError(word, policy, 'ACCEPT or DROP')
    return policy
  }

  #takeMatch(name: string): void {
    const known = name === 'icmpv6' || name === 'ipv6-icmp' ? 'icmp6' : name
    const found = Object.hasOwn(matches, known) ? matches[known as keyof typeof matches] : undefined
    if (found === undefined) {
      const names = Object.keys(matches)
      throw new InvalidArgumentError('-m', name, `one of the matches ${names.join(', ')}${didYouMean(name, names)}`)
    }
    this.#matches.push(this.#opened(found as unknown as Extension))
  }

  #takeTarget(name: string): void {
    if (this.#verdict !== undefined || this.#target !== undefined) throw new InvalidArgumentError('-j', name, 'one target')
    if (name === 'ACCEPT' || name === 'DROP' || name === 'RETURN') this.#verdict = name
    else if (Object.hasOwn(targets, name)) {
      this.#target = this.#opened(targets[name as keyof typeof targets] as unknown as Extension)
    } else this.#verdict = { jump: name }
  }

  #opened(extension: Extension): OpenMatch {
    const opened = { extension, input: {} }
    this.#open.unshift(opened)
    return opened
  }

  /** What has this option. */
  #holder(word: string): OpenMatch | undefined {
    const field = word.startsWith('--') ? fieldName(word.slice(2)) : undefined
    return field === undefined ? undefined : this.#open.find(({ extension }) => Object.hasOwn(extension.options, field))
  }

  /** An option of what was named, else of the protocol's own match. */
  #takeOption(word: string, not: boolean): void {
    const field = fieldName(word.slice(2))
    const holder = this.#holder(word) ?? (word.startsWith('--') ? this.#implicit(field) : undefined)
    if (holder === undefined) throw this.#unknownOption(word)
    const found = holder.extension.options[field]
    if (found === undefined) return
    const { kind, negatable } = found
    if (not && !negatable) throw new InvalidArgumentError(word, '!', `no ! before ${word}`)
    if (found.further !== undefined) {
      holder.further = { options: found.further, input: {} }
      const before = holder.input[field] as object[] | undefined
      holder.input[field] = [...before ?? [], holder.further.input]
      return
    }
    const input = holder.further !== undefined && Object.hasOwn(holder.further.options, field) ? holder.further.input : holder.input
    const words = kind.words === '0-1' ? this.#peek() === undefined ? 0 : 1 : kind.words
    const value = Array.from({ length: words }, () => this.#next(word)).join(' ')
    const text = words === 0 ? 'true' : value
    const read: unknown = readValue(kind as never, text, word, { family: this.#family })
    if (input[field] !== undefined) throw new InvalidArgumentError(word, text, `${word} only once`)
    input[field] = not ? { not: read } : read
  }

  /** `-p tcp --dport 80` needs no `-m tcp`. */
  #implicit(field: string): OpenMatch | undefined {
    const extension = this.#ofProtocol()
    if (extension === undefined || !Object.hasOwn(extension.options, field)) return undefined
    const match = this.#opened(extension)
    this.#matches.push(match)
    return match
  }

  #ofProtocol(): Extension | undefined {
    const protocol = this.#general['protocol']
    const number = protocol?.not === false ? protocolNumberOf(protocol.value) : undefined
    const extensions = {
      1: matches.icmp, 6: matches.tcp, 17: matches.udp, 33: matches.dccp, 50: matches.esp, 51: matches.ah, 58: matches.icmp6,
      108: matches.ipcomp, 132: matches.sctp, 135: matches.mh,
    } as const
    return number === undefined ? undefined : (extensions as unknown as Record<number, Extension>)[number]
  }

  #unknownOption(word: string): InvalidArgumentError {
    if (!word.startsWith('-')) return new InvalidArgumentError('rule', word, 'an option, which starts with -')
    const field = fieldName(word.replace(/^-+/, ''))
    const holders = Object.values({ ...matches, ...targets }).filter(({ options }) => Object.hasOwn(options, field)).map(({ name }) => name)
    if (holders.length > 0) {
      const ports = field === 'sport' || field === 'dport' ? ' behind -p tcp or -p udp' : ''
      return new InvalidArgumentError(word, this.#words[this.#at], `${word}${ports} only with ${holders.map(name => (name.toUpperCase() === name ? `-j ${name}` : `-m ${name}`)).join(' or ')}`)
    }
    const optionNames = (extensions: readonly { options: object }[]): string[] =>
      extensions.flatMap(({ options }) => Object.keys(options).map(name => `--${optionName(name)}`))
    const implicit = this.#ofProtocol()
    const all = [
      ...optionNames(this.#open.map(({ extension }) => extension)), ...optionNames(implicit === undefined ? [] : [implicit]),
      ...Object.keys(general), ...Object.keys(commands), '-m', '-j', '-g', '-f', '-t', '-c', ...optionNames(Object.values({ ...matches, ...targets })),
    ]
    return new InvalidArgumentError(word, this.#words[this.#at], `one of iptables’ options${didYouMean(word, all)}`)
  }

  /** Every source with every destination. */
  #rules(): IptablesRule[] {
    const { protocol, source, destination } = this.#general
    const several = (field: 'source' | 'destination'): (string | undefined)[] => {
      const said = this.#general[field]
      const all = said?.value.split(',') ?? [undefined]
      if (said?.not === true && all.length > 1) throw new InvalidArgumentError(field, said.value, 'no ! before a list of addresses')
      return all
    }
    const said = <T>(given: { not: boolean } | undefined, value: T | undefined): T | { not: T } | undefined =>
      (value === undefined ? undefined : given?.not === true ? { not: value } : value)
    const base = {
      in: said(this.#general['in'], this.#general['in']?.value),
      out: said(this.#general['out'], this.#general['out']?.value),
      protocol: protocol === undefined || /^(all|0)$/.test(protocol.value) ? undefined
        : said(protocol, protocolNumberOf(protocol.value) ?? protocol.value),
      fragment: this.#fragment,
      matches: this.#matches.length === 0 ? undefined : this.#matches.map(({ extension, input }) => ({ [extension.name]: input })),
      target: this.#verdict ?? (this.#target && { [this.#target.extension.name]: this.#target.input }),
    }
    const { table, chain, counters } = this.#command
    return several('source').flatMap(from => several('destination').map(to => {
      const fields = { ...base, source: said(source, from), destination: said(destination, to) }
      const rule = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as unknown as IptablesRule
      const place = this.#found ? { table, chain } : {}
      // The numbers of sets are looked up when the rule is written.
      const sets = setNames(rule).map(name => ({ name, index: 0 }))
      withOptionNames(() => iptablesRule({ ...rule, family: this.#family, ...place, sets, counters }))
      return rule
    }))
  }
}

/** Errors name fields of the typed form; whoever wrote options reads options. */
function withOptionNames<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    const field = /^(?:matches\[\d+\]|target)\.(\w+)(?:\.(\w+))?$/.exec(error.field)
    const letters: Readonly<Record<string, string>> = { in: '-i', out: '-o', source: '-s', destination: '-d', protocol: '-p', fragment: '-f' }
    const name = field?.[2] !== undefined ? `--${optionName(field[2])}`
      : field !== null ? `${error.field.startsWith('target') ? '-j' : '-m'} ${field[1] ?? ''}` : letters[error.field] ?? error.field
    throw new InvalidArgumentError(name, error.value, error.accepted)
  }
}
