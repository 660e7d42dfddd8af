/** Every number that we took from libvirt's headers, against those that are installed, and none forgotten. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import * as constants from '../../src/libvirt/constants.ts'
import { errorDomainName, errorNumberName, keyOf, label } from '../../src/libvirt/constants.ts'
import { run, tryRun } from '../support/lab.ts'
import { needing, needs } from '../support/needs.ts'

/** What the C constants of a table begin with; if two words are there, the second is the C type. */
const prefixes: Record<string, string> = {
  ErrorNumber: 'VIR_ERR_',
  WarningNumber: 'VIR_WAR_ virErrorNumber',
  ErrorDomain: 'VIR_FROM_',
  ErrorLevel: 'VIR_ERR_',
  ConnectFlags: 'VIR_CONNECT_',
  ConnectCredentialType: 'VIR_CRED_',
  ConnectCloseReason: 'VIR_CONNECT_CLOSE_REASON_',
  TypedParameterType: 'VIR_TYPED_PARAM_',
  IPAddrType: 'VIR_IP_ADDR_TYPE_',
  ConnectListAllNetworksFlags: 'VIR_CONNECT_LIST_NETWORKS_',
  NetworkXMLFlags: 'VIR_NETWORK_XML_',
  NetworkDefineFlags: 'VIR_NETWORK_DEFINE_',
  NetworkCreateFlags: 'VIR_NETWORK_CREATE_',
  NetworkUpdateCommand: 'VIR_NETWORK_UPDATE_COMMAND_',
  NetworkUpdateSection: 'VIR_NETWORK_SECTION_',
  NetworkUpdateFlags: 'VIR_NETWORK_UPDATE_AFFECT_',
  NetworkMetadataType: 'VIR_NETWORK_METADATA_',
  NetworkEventID: 'VIR_NETWORK_EVENT_ID_',
  NetworkEventLifecycleType: 'VIR_NETWORK_EVENT_',
  NetworkPortCreateFlags: 'VIR_NETWORK_PORT_CREATE_',
  ConnectListAllDomainsFlags: 'VIR_CONNECT_LIST_DOMAINS_',
  DomainDefineFlags: 'VIR_DOMAIN_DEFINE_',
  DomainCreateFlags: 'VIR_DOMAIN_',
  DomainDestroyFlags: 'VIR_DOMAIN_DESTROY_ virDomainDestroyFlagsValues',
  DomainShutdownFlags: 'VIR_DOMAIN_SHUTDOWN_ virDomainShutdownFlagValues',
  DomainRebootFlags: 'VIR_DOMAIN_REBOOT_ virDomainRebootFlagValues',
  DomainUndefineFlags: 'VIR_DOMAIN_UNDEFINE_ virDomainUndefineFlagsValues',
  DomainXMLFlags: 'VIR_DOMAIN_XML_',
  DomainModificationImpact: 'VIR_DOMAIN_AFFECT_',
  DomainDeviceModifyFlags: 'VIR_DOMAIN_DEVICE_MODIFY_',
  DomainMetadataType: 'VIR_DOMAIN_METADATA_',
  DomainInterfaceAddressesSource: 'VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_',
  DomainState: 'VIR_DOMAIN_',
  DomainNostateReason: 'VIR_DOMAIN_NOSTATE_',
  DomainRunningReason: 'VIR_DOMAIN_RUNNING_',
  DomainBlockedReason: 'VIR_DOMAIN_BLOCKED_',
  DomainPausedReason: 'VIR_DOMAIN_PAUSED_',
  DomainShutdownReason: 'VIR_DOMAIN_SHUTDOWN_',
  DomainShutoffReason: 'VIR_DOMAIN_SHUTOFF_',
  DomainCrashedReason: 'VIR_DOMAIN_CRASHED_',
  DomainPMSuspendedReason: 'VIR_DOMAIN_PMSUSPENDED_',
  DomainEventID: 'VIR_DOMAIN_EVENT_ID_',
  DomainEventType: 'VIR_DOMAIN_EVENT_',
  DomainEventDefinedDetailType: 'VIR_DOMAIN_EVENT_DEFINED_',
  DomainEventUndefinedDetailType: 'VIR_DOMAIN_EVENT_UNDEFINED_',
  DomainEventStartedDetailType: 'VIR_DOMAIN_EVENT_STARTED_',
  DomainEventSuspendedDetailType: 'VIR_DOMAIN_EVENT_SUSPENDED_',
  DomainEventResumedDetailType: 'VIR_DOMAIN_EVENT_RESUMED_',
  DomainEventStoppedDetailType: 'VIR_DOMAIN_EVENT_STOPPED_',
  DomainEventShutdownDetailType: 'VIR_DOMAIN_EVENT_SHUTDOWN_',
  DomainEventPMSuspendedDetailType: 'VIR_DOMAIN_EVENT_PMSUSPENDED_',
  DomainEventCrashedDetailType: 'VIR_DOMAIN_EVENT_CRASHED_',
  ConnectDomainEventAgentLifecycleState: 'VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_',
  ConnectDomainEventAgentLifecycleReason: 'VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_',
  ConnectListAllInterfacesFlags: 'VIR_CONNECT_LIST_INTERFACES_',
  InterfaceXMLFlags: 'VIR_INTERFACE_XML_',
  InterfaceDefineFlags: 'VIR_INTERFACE_DEFINE_',
  NWFilterDefineFlags: 'VIR_NWFILTER_DEFINE_',
  NWFilterBindingCreateFlags: 'VIR_NWFILTER_BINDING_CREATE_',
  Bandwidth: 'VIR_NETWORK_PORT_BANDWIDTH_',
  ConnectIdentity: 'VIR_CONNECT_IDENTITY_',
}

/** Numbers that libvirt 9.0.0 lacks: the release that has them first. */
const mayLack: Record<string, string> = {
  VIR_NETWORK_METADATA_DESCRIPTION: '9.7',
  VIR_NETWORK_METADATA_TITLE: '9.7',
  VIR_NETWORK_METADATA_ELEMENT: '9.7',
  VIR_ERR_NO_NETWORK_METADATA: '9.7',
  VIR_NETWORK_EVENT_ID_METADATA_CHANGE: '9.8',
  VIR_ERR_AGENT_COMMAND_TIMEOUT: '11.2',
  VIR_ERR_AGENT_COMMAND_FAILED: '11.2',
  VIR_DOMAIN_EVENT_ID_NIC_MAC_CHANGE: '11.2',
  VIR_DOMAIN_EVENT_STARTED_RECREATED: '11.6',
  VIR_DOMAIN_EVENT_STOPPED_RECREATED: '11.6',
}

type Constants = Record<string, number | string>

/** All tables, under the names of C: `VIR_ERR_NO_NETWORK` → 43. */
function ours(): Constants {
  const tables = Object.entries(constants).filter(([, table]) => typeof table === 'object')
  return Object.fromEntries(tables.flatMap(([name, table]) => {
    const prefix = prefixes[name]?.split(' ')[0]
    if (prefix === undefined) throw new Error(`${name}: no prefix in this test`)
    return Object.entries(table).map(([key, value]) => [prefix + key, value as number | string])
  }))
}

/** What is wrong with constants, one line each. */
async function compare(given: Constants, allowed: Record<string, string> = {}): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'virbr-constants-'))
  try {
    const compile = async (names: string[]): Promise<{ status: number, stderr: string }> => {
      const lines = names.map(name => `  printf("%s ${typeof given[name] === 'string' ? '%s' : '%d'}\\n", "${name}", ${name});`)
      const source = ['stdio.h', 'libvirt/libvirt.h', 'libvirt/virterror.h'].map(header => `#include <${header}>`)
      await writeFile(join(folder, 'print.c'), [...source, 'int main(void) {', ...lines, '}', ''].join('\n'))
      return tryRun('cc', ['-w', '-fmax-errors=0', '-o', join(folder, 'print'), join(folder, 'print.c')])
    }
    const names = Object.keys(given)
    let { status, stderr } = await compile(names)
    const lacking = new Set([...stderr.matchAll(/error: .(\w+). undeclared/g)].map(([, name]) => name ?? ''))
    if (lacking.size > 0) ({ status, stderr } = await compile(names.filter(name => !lacking.has(name))))
    if (status !== 0) throw new Error(stderr)
    const inHeader = new Map((await run(join(folder, 'print'), [])).trim().split('\n').map(line => {
      const [name = '', value = ''] = line.split(' ')
      return [name, value]
    }))
    return names.flatMap(name => {
      const theirs = inHeader.get(name)
      if (theirs === undefined) return Object.hasOwn(allowed, name) ? [] : [`${name}: not in the headers`]
      return String(given[name]) === theirs ? [] : [`${name}: ${given[name]}, but ${theirs} in the header`]
    })
  } finally {
    await rm(folder, { recursive: true })
  }
}

const description = '/usr/share/libvirt/api/libvirt-api.xml'
const { test } = needing(needs.tool('cc'), needs.file('/usr/include/libvirt/libvirt.h'))
const { test: withDescription } = needing(needs.file(description))

test('every number is that of the installed headers', async () => {
  expect(Object.keys(ours()).length).toBeGreaterThan(400)
  expect(await compare(ours(), mayLack)).toEqual([])
})

test('a wrong number, a wrong text and a name of our own invention are found', async () => {
  const wrong = { VIR_ERR_NO_DOMAIN: 43, VIR_ERR_NO_BREAD: 1, VIR_FROM_NET: 11, VIR_CONNECT_IDENTITY_USER_NAME: 'user' }
  expect(await compare(wrong)).toEqual([
    'VIR_ERR_NO_DOMAIN: 43, but 42 in the header', 'VIR_ERR_NO_BREAD: not in the headers',
    'VIR_CONNECT_IDENTITY_USER_NAME: user, but user-name in the header',
  ])
})

withDescription('no constant of a table is left out', async () => {
  const [have, types] = [ours(), new Map<string, string>()]
  for (const [name, entry] of Object.entries(prefixes)) {
    const [prefix = '', type = `vir${name}`] = entry.split(' ')
    types.set(`${type} ${prefix}`, prefix)
  }
  const missing: string[] = []
  let seen = 0
  for (const [tag] of (await readFile(description, 'utf8')).matchAll(/<enum [^>]*>/g)) {
    const [name = '', type = '', version = ''] = ['name', 'type', 'version'].map(key => tag.match(` ${key}='([^']*)'`)?.[1] ?? '')
    const ofTables = [...types].filter(([key]) => key.startsWith(`${type} `)).map(([, prefix]) => prefix)
    if (ofTables.length === 0 || name.endsWith('_LAST')) continue
    seen++
    const newer = version.localeCompare('9.0.0', 'en', { numeric: true }) > 0
    if (!Object.hasOwn(have, name) && !newer) missing.push(name)
  }
  expect(missing).toEqual([])
  expect(seen).toBeGreaterThan(390)
})

test('numbers are read back, those of a newer libvirt too', () => {
  expect(keyOf(constants.DomainState, 5)).toBe('SHUTOFF')
  expect(keyOf(constants.DomainState, 99)).toBeUndefined()
  expect(label(constants.DomainPausedReason, 7)).toBe('from-snapshot')
  expect(label(constants.DomainPausedReason, 99)).toBe('unknown')
  expect([0, 41, 43, 111, 999].map(errorNumberName)).toEqual([
    'VIR_ERR_OK', 'VIR_WAR_NO_NETWORK', 'VIR_ERR_NO_NETWORK', 'VIR_ERR_NO_NETWORK_METADATA', 'VIR_ERR_999',
  ])
  expect([19, 999].map(errorDomainName)).toEqual(['VIR_FROM_NETWORK', 'VIR_FROM_999'])
})
