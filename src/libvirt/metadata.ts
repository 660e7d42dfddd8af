/** Title, description and metadata elements of networks (libvirt ≥ 9.7, here and at the daemon) and domains. */
import type { DomainHandle, Handle, NetworkHandle } from '../../binding/index.ts'
import { aText, check, checkEach } from '../checks.ts'
import { InvalidArgumentError } from '../errors.ts'
import { calls } from './calls.ts'
import { NetworkMetadataType, NetworkUpdateFlags } from './constants.ts'
import type { Held } from './held.ts'
import { flagsOf } from './options.ts'

/** The title, the description, or the element in `<metadata>` that is of a namespace. */
export type MetadataName = 'title' | 'description' | { namespace: string }

/** Neither: the running network or domain if it runs, else the persistent configuration. `set` takes both. */
export interface MetadataOptions {
  /** The running one. */
  live?: boolean
  /** The persistent configuration. */
  config?: boolean
}

/** The numbers of types and flags are the same for both. */
const flagTable = { live: NetworkUpdateFlags.LIVE, config: NetworkUpdateFlags.CONFIG } as const

/** The two C functions of one kind of object. */
interface MetadataCalls<H> {
  get(handle: H, type: number, uri: string | null, flags: number): Promise<string>
  set(handle: H, type: number, metadata: string | null, key: string | null, uri: string | null, flags: number): Promise<unknown>
}

export const networkMetadata: MetadataCalls<NetworkHandle> = {
  get: (...given) => calls.virNetworkGetMetadata(...given),
  set: (...given) => calls.virNetworkSetMetadata(...given),
}
export const domainMetadata: MetadataCalls<DomainHandle> = {
  get: (...given) => calls.virDomainGetMetadata(...given),
  set: (...given) => calls.virDomainSetMetadata(...given),
}

/** Of one network or domain. */
export class Metadata<H extends Handle = Handle> {
  readonly #held: Held<H>
  readonly #calls: MetadataCalls<H>

  constructor(held: Held<H>, metadataCalls: MetadataCalls<H>) {
    this.#held = held
    this.#calls = metadataCalls
  }

  /** The text; the element as XML. Rejects with ERR_NO_METADATA, ERR_UNSUPPORTED. */
  async get(name: MetadataName, options: MetadataOptions = {}): Promise<string> {
    const { type, namespace } = readName(name)
    const flags = flagsOf('options', options, flagTable)
    if (options.live === true && options.config === true) {
      throw new InvalidArgumentError('options', options, 'live or config: there is one answer')
    }
    return this.#held.use(handle => this.#calls.get(handle, type, namespace, flags))
  }

  /**
   * Null takes it away. An element is the XML of one element without prefix or namespace of its own; libvirt puts it under
   * `namespace`, with `prefix`. Rejects with ERR_INVALID_XML, ERR_UNSUPPORTED, ERR_LIBVIRT.
   */
  async set(name: 'title' | 'description' | { namespace: string, prefix: string }, value: string | null, options: MetadataOptions = {}): Promise<void> {
    const { type, namespace, prefix } = readName(name)
    const flags = flagsOf('options', options, flagTable)
    if (value !== null && (typeof value !== 'string' || value.includes('\0'))) {
      throw new InvalidArgumentError('value', value, 'a string without NUL, or null')
    }
    if (namespace !== null && value !== null) check('name.prefix', prefix, aText)
    await this.#held.use(handle => this.#calls.set(handle, type, value, prefix, namespace, flags))
  }
}

function readName(name: unknown): { type: number, namespace: string | null, prefix: string | null } {
  if (name === 'title') return { type: NetworkMetadataType.TITLE, namespace: null, prefix: null }
  if (name === 'description') return { type: NetworkMetadataType.DESCRIPTION, namespace: null, prefix: null }
  if (typeof name !== 'object') throw new InvalidArgumentError('name', name, "'title', 'description', or an object with namespace")
  checkEach('name', name, { namespace: aText, prefix: aText })
  const { namespace, prefix = null } = name as { namespace: string, prefix?: string }
  check('name.namespace', namespace, aText)
  return { type: NetworkMetadataType.ELEMENT, namespace, prefix }
}
