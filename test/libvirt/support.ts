/** Connections that end with their test, and what calls reject with. */
import { expect, onTestFinished } from 'vitest'
import { VirbrError } from '../../src/errors.ts'
import { connectLibvirt } from '../../src/libvirt/connection.ts'
import type { LibvirtConnection } from '../../src/libvirt/connection.ts'
import type { LibvirtOptions } from '../../src/libvirt/open.ts'
import { testNode } from '../support/libvirtd.ts'

export async function connectFor(uri: string, options?: LibvirtOptions): Promise<LibvirtConnection> {
  const connection = await connectLibvirt(uri, options)
  onTestFinished(() => connection.close())
  return connection
}

/** libvirt's mock, with a state of its own: network `default`, which runs, and what is given. */
export async function connectMock(contents = ''): Promise<LibvirtConnection> {
  const node = await testNode(`<network><name>default</name><uuid>${uuidOf(1)}</uuid><bridge name='virbr0'/>` +
    `<ip address='192.168.122.1' netmask='255.255.255.0'/></network>${contents}`)
  onTestFinished(() => node[Symbol.asyncDispose]())
  return connectFor(node.uri)
}

export function uuidOf(digit: number): string {
  return `${String(digit).repeat(8)}-1111-4111-8111-111111111111`
}

/** An isolated network, which needs least of the kernel. */
export function networkXml(name: string, { subnet = 5, inside = '', uuid }: { subnet?: number, inside?: string, uuid?: string } = {}): string {
  return `<network><name>${name}</name>${uuid === undefined ? '' : `<uuid>${uuid}</uuid>`}<bridge name='${name}-br' stp='off' delay='0'/>` +
    `${inside}<ip address='10.77.${subnet}.1' netmask='255.255.255.0'/></network>`
}

/** What a call rejects with, which has to be an error of ours. */
export async function failureOf(call: Promise<unknown> | (() => Promise<unknown>)): Promise<VirbrError> {
  const error: unknown = await (typeof call === 'function' ? call() : call).then(() => undefined, (caught: unknown) => caught)
  expect(error).toBeInstanceOf(VirbrError)
  return error as VirbrError
}

export async function codeOf(call: Promise<unknown> | (() => Promise<unknown>)): Promise<string> {
  return (await failureOf(call)).code
}

/** The next so many events, or an error after 5 s. */
export async function take<E>(watch: AsyncIterator<E>, count: number): Promise<E[]> {
  const events: E[] = []
  const timer = AbortSignal.timeout(5_000)
  const late = new Promise<never>((_, reject) => {
    timer.addEventListener('abort', () => { reject(new Error(`${events.length} of ${count} events: ${JSON.stringify(events)}`)) })
  })
  late.catch(() => { /* In time. */ })
  while (events.length < count) {
    const { done, value } = await Promise.race([watch.next(), late])
    if (done === true) throw new Error(`ended after ${events.length} of ${count} events`)
    events.push(value)
  }
  return events
}
