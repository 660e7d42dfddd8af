/** Stateful objects as nft writes them. */
import { formatDuration } from '../datatypes.ts'
import type { NftObject, ObjectData } from '../objects.ts'
import { nothingKnown } from './dependencies.ts'
import { simpleStatement } from './simple.ts'

export function objectLines(object: NftObject): string[] {
  const { type, name, comment } = object
  const lines = bodyOf(object)
  if (lines === undefined) return [`# ${type} ${name}: not in nft's language`]
  return [`${type} ${name} {`, ...[...(comment === undefined ? [] : [`comment "${comment}"`]), ...lines].map(line => `\t${line}`), '}']
}

function bodyOf(object: NftObject): string[] | undefined {
  if (typeof object.type === 'number') return undefined
  switch (object.type) {
    // The object's own word stands before the braces.
    case 'counter': return [(simpleStatement({ name: 'counter', data: object.data }, nothingKnown) ?? '').replace(/^counter /, '')]
    case 'quota': return [(simpleStatement({ name: 'quota', data: object.data }, nothingKnown) ?? '').replace(/^quota /, '')]
    case 'limit': return [(simpleStatement({ name: 'limit', data: object.data }, nothingKnown) ?? '').replace(/^limit /, '')]
    case 'synproxy': return (simpleStatement({ name: 'synproxy', data: object.data }, nothingKnown) ?? '').replace(/^synproxy /, '').split(/ (?=wscale|timestamp)/)
    case 'secmark': return [`"${object.data.context ?? ''}"`]
    case 'ct helper': return helperLines(object.data)
    case 'ct timeout': return timeoutLines(object.data)
    case 'ct expectation': return expectationLines(object.data)
    default: return undefined
  }
}

function helperLines({ name = '', l3proto, l4proto }: ObjectData<'ct helper'>): string[] {
  return [`type "${name}" protocol ${l4proto}`, ...(l3proto === undefined ? [] : [`l3proto ${l3proto}`])]
}

function timeoutLines({ l3proto, l4proto, policy }: ObjectData<'ct timeout'>): string[] | undefined {
  if (policy instanceof Uint8Array) return undefined
  const states = Object.entries((policy ?? {}) as Record<string, number>).filter(([name]) => name !== 'raw')
  return [
    `protocol ${l4proto}`,
    ...(l3proto === undefined ? [] : [`l3proto ${l3proto}`]),
    ...(states.length === 0 ? [] : [`policy = { ${states.map(([state, seconds]) => `${state} : ${seconds}`).join(', ')} }`]),
  ]
}

function expectationLines({ l3proto, l4proto, dport = 0, timeoutMs = 0, size = 0 }: ObjectData<'ct expectation'>): string[] {
  return [
    `protocol ${l4proto}`, `dport ${dport}`, `timeout ${formatDuration(timeoutMs)}`, `size ${size}`,
    ...(l3proto === undefined ? [] : [`l3proto ${l3proto}`]),
  ]
}
