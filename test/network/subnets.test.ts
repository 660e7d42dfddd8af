import { describe, expect, test } from 'vitest'
import { InvalidArgumentError } from '../../src/errors.ts'
import {
  type AddressConfig, canonicalAddress, hostIn, ipSubnet, rangeSize, routeSubnet, subnetsOverlap,
} from '../../src/network/subnets.ts'

describe('ipSubnet', () => {
  test('IPv4 with a netmask', () => {
    expect(ipSubnet({ address: '192.168.122.1', netmask: '255.255.255.0' })).toEqual({
      family: 4,
      address: '192.168.122.1',
      prefix: 24,
      network: '192.168.122.0',
      netmask: '255.255.255.0',
      broadcast: '192.168.122.255',
    })
  })

  test('IPv6', () => {
    expect(ipSubnet({ address: 'FD00:0::1:2', prefix: 112 })).toEqual({
      family: 6, address: 'fd00::1:2', prefix: 112, network: 'fd00::1:0',
    })
  })

  test.each([
    ['10.1.2.3', 8, '10.0.0.0'],
    ['172.16.5.1', 16, '172.16.0.0'],
    ['192.168.1.1', 24, '192.168.1.0'],
    ['fd00::1:0:0:1', 64, 'fd00::'],
  ])('%s alone has prefix %d', (address, prefix, network) => {
    expect(ipSubnet({ address })).toMatchObject({ prefix, network })
  })

  test.each([
    [{ address: '10.0.0.1', prefix: 31 }, undefined],
    [{ address: '10.0.0.1', prefix: 32 }, undefined],
    [{ address: '10.0.0.1', prefix: 30 }, '10.0.0.3'],
    [{ address: '255.255.255.1', prefix: 1 }, '255.255.255.255'],
  ])('broadcast of %o is %s', (ip, broadcast) => {
    expect(ipSubnet(ip).broadcast).toBe(broadcast)
  })

  const refused: [AddressConfig, string][] = [
    [{ address: '10.1.1' }, 'ip[1].address'],
    [{ address: '010.0.0.1' }, 'ip[1].address'],
    [{ address: 'fe80::1%eth0' }, 'ip[1].address'],
    [{ address: '224.0.0.1' }, 'ip[1].prefix'],
    [{ address: '10.0.0.1', prefix: 33 }, 'ip[1].prefix'],
    [{ address: '10.0.0.1', prefix: 1.5 }, 'ip[1].prefix'],
    [{ address: 'fd00::1', prefix: 129 }, 'ip[1].prefix'],
    [{ address: 'fd00::1', netmask: '255.0.0.0' }, 'ip[1].netmask'],
    [{ address: '10.0.0.1', netmask: '255.0.255.0' }, 'ip[1].netmask'],
    [{ address: '10.0.0.1', netmask: '255.0.0.0', prefix: 8 }, 'ip[1].netmask'],
  ]
  test.each(refused)('%o is refused: %s', (ip, field) => {
    expect(() => ipSubnet(ip, 'ip[1]')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', field }))
  })
})

test('a route to 0.0.0.0 or :: is the default route', () => {
  expect(routeSubnet({ address: '0.0.0.0' })).toMatchObject({ network: '0.0.0.0', prefix: 0 })
  expect(routeSubnet({ address: '::' })).toMatchObject({ network: '::', prefix: 0 })
  expect(routeSubnet({ address: '10.0.0.0' })).toMatchObject({ prefix: 8 })
})

test.each([
  ['10.0.0.0/24', '10.0.0.128/25', true],
  ['10.0.0.0/24', '10.0.1.0/24', false],
  ['10.0.1.0/24', '10.0.0.0/16', true],
  ['10.0.0.7/24', '10.0.0.9/24', true],
  ['0.0.0.0/0', '192.168.1.0/24', true],
  ['0.0.0.0/0', 'fd00::/64', false],
  ['fd00::/64', 'fd00::1:0:0:0/127', true],
  ['fd00::/64', 'fd00:0:0:1::/64', false],
])('subnetsOverlap(%s, %s) is %s', (a, b, overlap) => {
  expect(subnetsOverlap(a, b)).toBe(overlap)
  expect(subnetsOverlap(b, a)).toBe(overlap)
})

const noPrefixes = ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/', '/8', 'x/8', '10.0.0.0/8/8', '10.0.0.0/-1']
test.each(noPrefixes)('%s is no prefix', (text) => {
  expect(() => subnetsOverlap(text, '10.0.0.0/8')).toThrow(InvalidArgumentError)
})

test('hostIn', () => {
  expect(hostIn('10.0.0.255', '10.0.0.0/24')).toBe(true)
  expect(hostIn('10.0.1.0', '10.0.0.0/24')).toBe(false)
  expect(hostIn('fd00::1', '10.0.0.0/24')).toBe(false)
})

test('rangeSize', () => {
  expect(rangeSize('192.168.122.2', '192.168.122.254')).toBe(253)
  expect(rangeSize('10.0.0.1', '10.0.0.1')).toBe(1)
  expect(rangeSize('10.0.0.2', '10.0.0.1')).toBe(0)
  expect(rangeSize('fd00::', 'fd00::ffff')).toBe(65536)
  expect(() => rangeSize('10.0.0.1', 'fd00::1')).toThrow(InvalidArgumentError)
})

test.each([
  ['FD00:0:0::01', 'fd00::1'],
  ['0:0:0:0:0:0:0:0', '::'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
  ['1.2.3.4', '1.2.3.4'],
  ['1.2.3', undefined],
  ['', undefined],
])('canonicalAddress(%s) is %s', (text, canonical) => {
  expect(canonicalAddress(text)).toBe(canonical)
})
