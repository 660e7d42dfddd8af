/** libvirt's errors as ours, and refusals before anything is asked. */
import { expect, test as plainTest } from 'vitest'
import { ClosedError, InvalidArgumentError, UnsupportedError, VirbrError } from '../../src/errors.ts'
import { calls } from '../../src/libvirt/calls.ts'
import { ErrorNumber } from '../../src/libvirt/constants.ts'
import { LibvirtError, toError, withCode } from '../../src/libvirt/errors.ts'
import { needing, needs } from '../support/needs.ts'
import { connectMock, failureOf } from './support.ts'

const { test } = needing(needs.library('libvirt.so.0'))

const fields = {
  code: ErrorNumber.NO_NETWORK, domain: 19, message: 'Network not found: x', level: 2, str1: 'Network not found: %s', str2: 'x',
  str3: undefined, int1: -1, int2: -1,
}
const failed = (failure: object) => Object.assign(new Error('made up'), failure)

plainTest.each([
  [ErrorNumber.NO_NETWORK, 'ERR_NO_NETWORK'],
  [ErrorNumber.NETWORK_EXIST, 'ERR_NETWORK_EXISTS'],
  [ErrorNumber.NO_DOMAIN, 'ERR_NO_DOMAIN'],
  [ErrorNumber.NO_NETWORK_PORT, 'ERR_NO_PORT'],
  [ErrorNumber.AUTH_CANCELLED, 'ERR_AUTH'],
  [ErrorNumber.ACCESS_DENIED, 'ERR_NO_PERMISSION'],
  [ErrorNumber.XML_DETAIL, 'ERR_INVALID_XML'],
  [ErrorNumber.CONFIG_UNSUPPORTED, 'ERR_UNSUPPORTED'],
  [ErrorNumber.INTERNAL_ERROR, 'ERR_LIBVIRT'],
  [4711, 'ERR_LIBVIRT'],
])('VIR_ERR number %i is %s', (code, expected) => {
  const error = toError('virNetworkCreate', [], failed({ failure: 'libvirt', libvirt: { ...fields, code } }))
  expect(error).toBeInstanceOf(LibvirtError)
  expect(error).toBeInstanceOf(VirbrError)
  expect(error).toMatchObject({ code: expected, name: 'LibvirtError' })
})

plainTest('an error of libvirt keeps all that libvirt said, under another code too', () => {
  const error = toError('virNetworkCreate', [], failed({ failure: 'libvirt', libvirt: fields }), 'network x') as LibvirtError
  expect(error.message).toBe('virNetworkCreate (network x): Network not found: x')
  expect(error).toMatchObject({ operation: 'virNetworkCreate', subject: 'network x' })
  expect(error.libvirt).toEqual({ ...fields, codeName: 'VIR_ERR_NO_NETWORK', domainName: 'VIR_FROM_NETWORK' })
  const other = withCode(error, 'ERR_NETWORK_ACTIVE', { advice: 'stop it' })
  expect(other).toMatchObject({ code: 'ERR_NETWORK_ACTIVE', message: `${error.message}; stop it`, libvirt: error.libvirt })
})

plainTest('failures that are not libvirt’s say what would help', () => {
  const asError = (failure: object, args: unknown[] = []) => toError('virNetworkGetMetadata', args, failed(failure))
  expect(asError({ failure: 'function', name: 'virNetworkGetMetadata', since: '9.7.0', installed: '9.0.0' })).toMatchObject({
    code: 'ERR_UNSUPPORTED', feature: 'libvirt ≥ 9.7.0', message: 'virNetworkGetMetadata needs libvirt 9.7.0 or later; 9.0.0 is installed',
  })
  expect(asError({ failure: 'library' })).toMatchObject({ code: 'ERR_LIBVIRT_MISSING', message: expect.stringContaining('libvirt0') as string })
  expect(asError({ failure: 'closed', kind: 'networkPort' })).toMatchObject({ code: 'ERR_CLOSED', message: 'this network port is closed' })
  expect(asError({ failure: 'argument', name: 'virNetworkCreate', index: 1, accepted: 'a string' }, ['a', 5])).toMatchObject({
    code: 'ERR_INVALID_ARGUMENT', field: 'virNetworkCreate[1]', value: 5, accepted: 'a string',
  })
  const other = new TypeError('something else')
  expect(toError('virNetworkCreate', [], other)).toBe(other)
})

test('what libvirt says arrives with its numbers and strings', async () => {
  const connection = await connectMock()
  const error = await failureOf(connection.networks.get('nowhere'))
  expect(error).toBeInstanceOf(LibvirtError)
  expect(error).toMatchObject({
    code: 'ERR_NO_NETWORK',
    operation: 'virNetworkLookupByName',
    libvirt: { code: 43, codeName: 'VIR_ERR_NO_NETWORK', level: 2, str1: expect.stringMatching(/^Network not found: %(1\$)?s$/) as string, str2: "no network with matching name 'nowhere'" },
  })
})

test('a flag, an event or a number that libvirt does not know is refused', async () => {
  const connection = await calls.virConnectOpenAuth('test:///default', undefined, 0)
  const network = await calls.virNetworkLookupByName(connection, 'default')
  const unknown = 1 << 30
  for (const call of [
    () => calls.virConnectListAllNetworks(connection, unknown),
    () => calls.virNetworkGetXMLDesc(network, unknown),
    () => calls.virNetworkDefineXMLFlags(connection, '<network><name>x</name></network>', unknown),
    () => calls.virNetworkUpdate(network, 1, 4711, -1, '<host/>', 0),
    () => calls.virNetworkUpdate(network, 4711, 4, -1, '<host mac="52:54:00:00:00:01" ip="192.168.122.5"/>', 0),
    () => calls.virConnectOpenAuth('test:///default', undefined, unknown),
    () => calls.virConnectNetworkEventRegisterAny(connection, null, 4711, () => undefined),
  ]) {
    const error = await failureOf(call)
    expect(error.code, error.message).toMatch(/^ERR_(INVALID_ARGUMENT|UNSUPPORTED|LIBVIRT)$/)
  }
  await connection.close()
})

test('a function that libvirt is too old for names the version', async () => {
  const connection = await connectMock()
  if (await calls.virGetVersion() >= 9_007_000) return
  const network = await connection.networks.get('default')
  const error = await failureOf(network.metadata.get('title'))
  expect(error).toBeInstanceOf(UnsupportedError)
  expect(error).toMatchObject({ feature: 'libvirt ≥ 9.7.0' })
})

test('libvirt’s functions under their own names refuse what they cannot take', async () => {
  expect(Object.keys(calls).length).toBeGreaterThan(100)
  expect('virNetworkCreate' in calls).toBe(true)
  expect(calls.virNetworkCreate.name).toBe('virNetworkCreate')
  const unknown = calls as unknown as Record<string, unknown>
  expect(unknown['virNoSuchFunction']).toBeUndefined()
  expect(() => { unknown['virNetworkCreate'] = 1 }).toThrow(TypeError)
  for (const wrong of [undefined, null, 5, 'default', {}, { kind: 'network' }, []]) {
    expect(await failureOf(calls.virNetworkCreate(wrong as never))).toBeInstanceOf(InvalidArgumentError)
  }
  const connection = await calls.virConnectOpenAuth('test:///default', undefined, 0)
  expect(await failureOf(calls.virNetworkCreate(connection as never))).toBeInstanceOf(InvalidArgumentError)
  const network = await calls.virNetworkLookupByName(connection, 'default')
  await connection.close()
  expect(network.closed).toBe(true)
  expect(await failureOf(calls.virNetworkCreate(network))).toBeInstanceOf(ClosedError)
})
