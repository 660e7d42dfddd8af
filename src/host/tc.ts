/** Traffic control: what `tc qdisc`, `tc class` and `tc filter` do. */
import { aString, check, fieldsOf } from '../checks.ts'
import { UnsupportedError, checkFields } from '../errors.ts'
import type { NetlinkError } from '../netlink/error.ts'
import type { AnyRequest, Message } from '../netlink/message.ts'
import { equals, sift } from '../rtnetlink/listed.ts'
import type { Listed } from '../rtnetlink/listed.ts'
import type { Action as WireAction, MirredAction as WireMirred } from '../rtnetlink/tc/actions.ts'
import { decodeClass, deleteClass, listClasses, newClass } from '../rtnetlink/tc/classes.ts'
import type { ClassSpec, TcClass } from '../rtnetlink/tc/classes.ts'
import { decodeFilter, deleteFilter, listFilters, newFilter } from '../rtnetlink/tc/filters.ts'
import type { Filter, FilterKey, FilterSpec as WireFilterSpec } from '../rtnetlink/tc/filters.ts'
import type { Handle } from '../rtnetlink/tc/message.ts'
import { decodeQdisc, deleteQdisc, listQdiscs, newQdisc } from '../rtnetlink/tc/qdiscs.ts'
import type { Qdisc, QdiscSpec, TcVerb } from '../rtnetlink/tc/qdiscs.ts'
import { routeStep } from './channel.ts'
import type { Channel } from './channel.ts'
import { checkLinkRef, noLink } from './link-ref.ts'
import type { LinkRef, Links } from './links.ts'

/** `action` redirect takes packets away, mirror copies them; `link`: where they go. */
export interface MirredAction extends Omit<WireMirred, 'index'> { link: LinkRef }
export type Action = Exclude<WireAction, WireMirred> | MirredAction

type FilterPart<K extends 'u32' | 'fw' | 'matchall' | 'basic'> = Omit<NonNullable<WireFilterSpec[K]>, 'actions'> & { actions?: readonly Action[] }

/** A filter to add. */
export interface FilterSpec extends Omit<WireFilterSpec, 'u32' | 'fw' | 'matchall' | 'basic'> {
  u32?: FilterPart<'u32'>
  fw?: FilterPart<'fw'>
  matchall?: FilterPart<'matchall'>
  basic?: FilterPart<'basic'>
}

/** Kernel options of what is made as a module; those of ingress and clsact have one. */
const options: Record<string, string> = {
  htb: 'CONFIG_NET_SCH_HTB', tbf: 'CONFIG_NET_SCH_TBF', sfq: 'CONFIG_NET_SCH_SFQ', fq_codel: 'CONFIG_NET_SCH_FQ_CODEL',
  ingress: 'CONFIG_NET_SCH_INGRESS', clsact: 'CONFIG_NET_SCH_INGRESS', u32: 'CONFIG_NET_CLS_U32', fw: 'CONFIG_NET_CLS_FW',
  matchall: 'CONFIG_NET_CLS_MATCHALL', basic: 'CONFIG_NET_CLS_BASIC', police: 'CONFIG_NET_ACT_POLICE', mirred: 'CONFIG_NET_ACT_MIRRED',
  gact: 'CONFIG_NET_ACT_GACT',
}

/** What a kernel says that lacks a module, and the option that it would be built with; undefined if that is not it. */
export function tcUnsupported(error: NetlinkError, kind: string, actions: readonly string[] = []): UnsupportedError | undefined {
  const { kernelMessage = '', errnoName } = error
  const missing = /qdisc kind is unknown|classifier not found/i.test(kernelMessage) ? kind
    : /load TC action module/i.test(kernelMessage) ? actions.find(name => name !== 'mirred') ?? actions[0]
      : errnoName === 'ENOENT' && kernelMessage === '' && actions.length > 0 ? actions[0] : undefined
  const option = missing === undefined ? undefined : options[missing]
  return option === undefined ? undefined : new UnsupportedError(option, `${error.message}; a kernel with ${option} is needed`)
}

/** What the three parts have in common: a link's index, one request, errors in the caller's words. */
class Part {
  readonly #channel: Channel
  protected readonly links: Links

  constructor(channel: Channel, links: Links) {
    this.#channel = channel
    this.links = links
  }

  /** `make` is called twice: to check, before the link is looked up, and to send. */
  protected async send(link: LinkRef, make: (index: number) => AnyRequest, kind = '', actions: readonly string[] = []): Promise<Message[]> {
    checkLinkRef(link)
    routeStep([make(1)])
    const { operation, ...request } = make(await this.links.index(link))
    const step = routeStep([{ ...request, operation: `${operation} of link ${link}` } as AnyRequest], { mayFail: true })
    const { error, messages } = await this.#channel.attempt(step)
    if (error !== undefined) throw tcUnsupported(error, kind, actions) ?? noLink(error, link)
    return messages.flat()
  }

  protected async dump(request: AnyRequest): Promise<Message[]> {
    return (await this.#channel.request([request])).flat()
  }
}

/**
 * Queueing disciplines of links: `host.qdiscs`. Kinds: htb, tbf, sfq, fq_codel, pfifo, bfifo, ingress, clsact. Rates are in
 * bytes a second. A kind that the kernel lacks is ERR_UNSUPPORTED with the option that it would be built with; a link that
 * does not exist ERR_NO_LINK; what the kernel refuses ERR_NETLINK. Changes need CAP_NET_ADMIN, else ERR_NO_PERMISSION.
 */
export class Qdiscs extends Part {
  /** Of all links, or of one; left out by virbr, not by the kernel, which has no such filter. */
  async list(filter: { link?: LinkRef } = {}): Promise<Listed<Qdisc>> {
    checkFields(filter, ['link'], 'a filter of qdiscs')
    const { link } = filter
    const index = link === undefined ? undefined : await this.links.index(link)
    return sift<Qdisc>((await this.dump(listQdiscs(index))).map(decodeQdisc), { link: equals(index, qdisc => qdisc.index) })
  }

  /** `add('eth0', { kind: 'htb', handle: '1:', htb: { default: 2 } })`. Rejects with EEXIST if there is one but the default. */
  add(link: LinkRef, qdisc: QdiscSpec): Promise<void> {
    return this.#new(link, qdisc, 'add')
  }

  replace(link: LinkRef, qdisc: QdiscSpec): Promise<void> {
    return this.#new(link, qdisc, 'replace')
  }

  /** New options; what waits in it stays there. */
  change(link: LinkRef, qdisc: QdiscSpec): Promise<void> {
    return this.#new(link, qdisc, 'change')
  }

  /** The root qdisc, or that of a class (`parent`), or `{ kind: 'ingress' }`, with all classes and filters within. */
  async delete(link: LinkRef, which: { kind?: string, parent?: Handle, handle?: Handle } = {}): Promise<void> {
    await this.send(link, index => deleteQdisc(index, which))
  }

  async #new(link: LinkRef, qdisc: QdiscSpec, verb: TcVerb): Promise<void> {
    await this.send(link, index => newQdisc(index, qdisc, verb), fieldsOf('qdisc', qdisc).kind)
  }
}

/** Classes of htb: `host.classes`. Errors as of `host.qdiscs`. */
export class Classes extends Part {
  /** Of all qdiscs of a link, or of one. */
  async list(filter: { link: LinkRef, parent?: Handle }): Promise<Listed<TcClass>> {
    checkFields(filter, ['link', 'parent'], 'a filter of classes')
    const { link, parent } = filter
    checkLinkRef(link)
    listClasses(1, parent)
    return sift((await this.dump(listClasses(await this.links.index(link), parent))).map(decodeClass), {})
  }

  /** `add('eth0', { kind: 'htb', parent: '1:', classid: '1:1', htb: { rate: 125_000 } })`. */
  add(link: LinkRef, spec: ClassSpec): Promise<void> {
    return this.#new(link, spec, 'add')
  }

  replace(link: LinkRef, spec: ClassSpec): Promise<void> {
    return this.#new(link, spec, 'replace')
  }

  change(link: LinkRef, spec: ClassSpec): Promise<void> {
    return this.#new(link, spec, 'change')
  }

  /** Rejects with EBUSY while it has classes or filters lead to it. */
  async delete(link: LinkRef, which: { classid: Handle }): Promise<void> {
    checkFields(which, ['classid'], 'what says which class')
    await this.send(link, index => deleteClass(index, which))
  }

  async #new(link: LinkRef, spec: ClassSpec, verb: TcVerb): Promise<void> {
    await this.send(link, index => newClass(index, spec, verb), fieldsOf('class', spec).kind)
  }
}

/** Filters: `host.filters`. Kinds: u32, fw, matchall, basic; actions: police, mirred, gact. Errors as of `host.qdiscs`. */
export class Filters extends Part {
  /** Of a qdisc or class, or of `ingress` or `egress` of clsact. */
  async list(filter: { link: LinkRef, parent: Handle }): Promise<Listed<Filter>> {
    checkFields(filter, ['link', 'parent'], 'a filter of filters')
    const { link, parent } = filter
    checkLinkRef(link)
    listFilters(1, parent)
    const messages = await this.dump(listFilters(await this.links.index(link), parent))
    return sift(messages.map(decodeFilter).filter(found => found !== undefined), {})
  }

  /** `add('eth0', { kind: 'fw', parent: '1:', handle: 1, fw: { classid: ':1' } })`. */
  add(link: LinkRef, spec: FilterSpec): Promise<void> {
    return this.#new(link, spec, 'add')
  }

  replace(link: LinkRef, spec: FilterSpec): Promise<void> {
    return this.#new(link, spec, 'replace')
  }

  change(link: LinkRef, spec: FilterSpec): Promise<void> {
    return this.#new(link, spec, 'change')
  }

  /** Those of a parent, of one priority, or one by its handle. */
  async delete(link: LinkRef, which: FilterKey): Promise<void> {
    await this.send(link, index => deleteFilter(index, which))
  }

  async #new(link: LinkRef, spec: FilterSpec, verb: TcVerb): Promise<void> {
    const { kind } = fieldsOf('filter', spec)
    check('kind', kind, aString)
    const part = (spec as unknown as Record<string, unknown>)[kind] as { actions?: readonly Action[], police?: object } | undefined
    const given = Array.isArray(part?.actions) ? part.actions as readonly Action[] : []
    const indexOf = new Map<LinkRef, number>()
    const wire = (): WireFilterSpec => (given.length === 0 ? spec : {
      ...spec, [kind]: { ...part, actions: given.map(action => withIndex(action, indexOf)) },
    }) as WireFilterSpec
    routeStep([newFilter(1, wire(), verb)])
    for (const action of given) if (action.kind === 'mirred') indexOf.set(action.link, await this.links.index(action.link))
    const actions = [...(part?.police === undefined ? [] : ['police']), ...given.map(action => action.kind)]
    await this.send(link, index => newFilter(index, wire(), verb), kind, actions)
  }
}

function withIndex(action: Action, indexOf: ReadonlyMap<LinkRef, number>): WireAction {
  if (typeof action !== 'object' || action === null || action.kind !== 'mirred') return action
  const { link, ...rest } = action
  checkLinkRef(link, 'actions.link')
  return { ...rest, index: indexOf.get(link) ?? 1 }
}
