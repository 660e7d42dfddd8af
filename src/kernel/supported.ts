/** What of libvirt's network XML this driver does. Everything else is refused by name: nothing is silently ignored. */
import { UnsupportedError } from '../errors.ts'
import type { NetworkConfig } from '../network/config.ts'

const modes = ['nat', 'route', 'open']

/** [element, is it there?]: elements and attributes that change what a network does and that this driver does not do. */
const unsupported: [feature: string, used: (config: NetworkConfig) => boolean][] = [
  ['<network ipv6="yes">', config => config.ipv6 === true],
  ['<network trustGuestRxFilters="yes">', config => config.trustGuestRxFilters === true],
  ['<bridge zone>', config => config.bridge?.zone !== undefined],
  ['<bridge macTableManager="libvirt">', config => config.bridge?.macTableManager === 'libvirt'],
  ['<forward><pf>', config => config.forward?.pf !== undefined],
  ['<forward><address>', config => config.forward?.address !== undefined],
  ['<nat ipv6="yes">', config => config.forward?.nat?.ipv6 === true],
  ['<ip family="ipv6">', config => (config.ip ?? []).some(({ family }) => family === 'ipv6')],
  ['<route family="ipv6">', config => (config.route ?? []).some(({ family }) => family === 'ipv6')],
  ['<domain register="yes">', config => config.domain?.register === true],
  ['<bandwidth>', config => config.bandwidth !== undefined],
  ['<vlan>', config => config.vlan !== undefined],
  ['<virtualport>', config => config.virtualport !== undefined],
  ['<portgroup>', config => (config.portgroup ?? []).length > 0],
]

export function checkSupported(config: NetworkConfig): void {
  const mode = config.forward?.mode
  if (mode !== undefined && !modes.includes(mode)) {
    const feature = `<forward mode="${mode}">`
    throw new UnsupportedError(feature, `the kernel driver does not do ${feature}; it does ${modes.join(', ')}, and isolated networks`)
  }
  for (const [feature, used] of unsupported) {
    if (used(config)) throw new UnsupportedError(feature, `the kernel driver does not do ${feature}`)
  }
}
