/**
 * What validateNetwork refuses. One table; its third column says whether libvirt's own parser refuses it as well, which
 * virsh.test.ts asks libvirt itself.
 */
import { describe, expect, test } from 'vitest'
import { InvalidArgumentError } from '../../src/errors.ts'
import type { NetworkConfig } from '../../src/network/config.ts'
import { forwardMode, validateNetwork } from '../../src/network/validate.ts'
import { parseNetworkXml } from '../../src/network/xml.ts'
import { accepted, refused } from './cases.ts'

const named = (xml: string): string => (xml.includes('<name') ? xml : `<name>n</name>${xml}`)

describe('refused', () => {
  test.each(refused)('$xml: $field', ({ xml, field, message }) => {
    const config = parseNetworkXml(`<network>${named(xml)}</network>`)
    let error: unknown
    try {
      validateNetwork(config)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(InvalidArgumentError)
    expect(error).toMatchObject({ field })
    if (message !== undefined) expect((error as Error).message).toContain(message)
  })

  test('what is no config at all', () => {
    expect(() => validateNetwork({ name: 'n', ip: [{}] } as unknown as NetworkConfig))
      .toThrow(expect.objectContaining({ field: 'ip[0].address' }))
  })
})

describe('accepted', () => {
  test('a bridge name to be completed, which libvirt\'s parser takes, but its schema does not', () => {
    expect(() => validateNetwork({ name: 'n', bridge: { name: 'virbr%d' } })).not.toThrow()
  })

  test('an open network without an address, which older libvirts refuse', () => {
    expect(() => validateNetwork({ name: 'n', forward: { mode: 'open' } })).not.toThrow()
  })

  test.each(accepted)('%s', (xml) => {
    expect(() => validateNetwork(parseNetworkXml(`<network>${named(xml)}</network>`))).not.toThrow()
  })
})

test('forwardMode', () => {
  expect(forwardMode({ name: 'n' })).toBe('isolated')
  expect(forwardMode({ name: 'n', forward: {} })).toBe('nat')
  expect(forwardMode({ name: 'n', forward: { mode: 'open' } })).toBe('open')
})
