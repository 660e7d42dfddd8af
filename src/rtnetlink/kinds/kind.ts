/** What virbr knows of a kind of links, as data: adding a kind is adding a file with one of these, and a line in index.ts. */
import { InvalidArgumentError } from '../../errors.ts'
import type { CodecValue, NumberCodec } from '../../netlink/codecs.ts'
import { u32 } from '../../netlink/codecs.ts'
import type { Entries, RawAttribute, Table } from '../../netlink/table.ts'

/** What a kernel must have for an option to count: a build option, a first release. */
export interface Requirement {
  /** e.g. `CONFIG_BRIDGE_VLAN_FILTERING`. */
  config?: string
  /** e.g. `6.7`. */
  since?: string
  /** The kernel does not show the option where it has this value. */
  hidden?: unknown
  /** It is an object, of which some fields have requirements of their own. */
  within?: Readonly<Record<string, Requirement>>
}

export interface LinkKind<E extends Entries = Entries> {
  options: Table<E>
  /** Build option of the kernel, e.g. `CONFIG_VLAN_8021Q`. */
  config: string
  /** First release that has the kind, where that is later than 5.10. */
  since?: string
  /** It stands on another link (IFLA_LINK). Otherwise `link` is refused. */
  link?: 'required' | 'optional'
  /** Options that not every kernel has. One that has not passes over them in silence. */
  needs?: { [K in keyof E]?: Requirement }
  /** Throws for what no codec can see: options that are missing, or do not go together. */
  check?(options: Partial<Record<keyof E, unknown>>): void
  /** A change sets everything: what it does not say, the kernel takes for zero. Makes whole options of present ones and a change. */
  complete?(present: object, change: object): object
  /** From what the caller says to what stands in the attributes, and back. */
  write?(options: object): object
  read?(options: object): object
}

export function linkKind<const E extends Entries>(kind: LinkKind<E>): LinkKind<E> {
  return kind
}

/** The index of a link, for which callers may give its name. */
export interface LinkIndexCodec extends NumberCodec {
  readonly refersToLink: true
}

export const linkIndex: LinkIndexCodec = { ...u32, refersToLink: true }

export function refersToLink(codec: object): codec is LinkIndexCodec {
  return 'refersToLink' in codec
}

/** What a caller may give for a table's options: other links by name or index. */
export type Options<T> = T extends Table<infer E>
  ? { -readonly [K in keyof E]?: (E[K][1] extends LinkIndexCodec ? string | number : CodecValue<E[K][1]>) | undefined } &
    { raw?: RawAttribute[] | undefined }
  : never

/** Throws unless an option is there. */
export function need(value: unknown, field: string, accepted: string): void {
  if (value === undefined) throw new InvalidArgumentError(field, value, accepted)
}
