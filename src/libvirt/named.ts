/** What has a name and a UUID: looking it up by either, and lists of it in order. */
import { uuid as uuidCodec } from '../network/codecs.ts'
import type { ErrorNumber } from './constants.ts'
import { isLibvirt } from './errors.ts'

interface Lookups<H> {
  /** What libvirt says if there is none: name of virErrorNumber without VIR_ERR_. */
  missing: keyof typeof ErrorNumber
  byName: (name: string) => Promise<H>
  /** In lower case, with hyphens. */
  byUuid: (uuid: string) => Promise<H>
}

/** By name; if nobody has it, and it is a UUID in any spelling, by that. */
export async function lookUp<H>(nameOrUuid: string, { missing, byName, byUuid }: Lookups<H>): Promise<H> {
  const uuid = uuidCodec.parse(nameOrUuid)
  try {
    return await byName(nameOrUuid)
  } catch (error) {
    if (uuid === undefined || !isLibvirt(error, missing)) throw error
    return byUuid(uuid)
  }
}

/** Whether something with this name and UUID is meant. */
export function isMeant(nameOrUuid: string | undefined): (one: { name: string, uuid: string }) => boolean {
  if (nameOrUuid === undefined) return () => true
  const wanted = uuidCodec.parse(nameOrUuid)
  return ({ name, uuid }) => name === nameOrUuid || uuid === wanted
}

/** For `sort`. */
export function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1
}
