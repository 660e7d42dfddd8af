/**
 * Small guests for `startLibvirtd`: QEMU without KVM, without a disk or a display, of about 45 MB.
 *
 *     await daemon.virsh('create', await guestFile(folder, { name: 'g', network: 'default' }))
 *
 * They never run an operating system. What needs the guest's cooperation, such as unplugging a PCI device, does not
 * happen; a usb-net interface can be unplugged without. One that boots from its network is a real DHCP client.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { libvirtdNeeds } from './libvirtd.ts'
import type { LibvirtdOptions } from './libvirtd.ts'
import { needs } from './needs.ts'
import type { Need } from './needs.ts'

export interface InterfaceOptions {
  /** A libvirt network. */
  network: string
  mac?: string
  /** Default: usb-net, which can be plugged and unplugged while the guest runs. libvirt 9 starts no guest with one. */
  model?: 'usb-net' | 'virtio' | 'e1000'
  /** Device alias, `ua-…`: what device events and detachDeviceAlias name. */
  alias?: string
  /** Further elements, e.g. `<link state='down'/>`, `<filterref filter='…'/>`, `<bandwidth>`. */
  more?: string
}

export interface GuestOptions {
  name: string
  uuid?: string
  /** Its first interface, of model virtio, is in this libvirt network. */
  network?: string
  /** MAC address of that interface. */
  mac?: string
  /** Further interfaces: XML, e.g. of `interfaceXml`, but not of model usb-net. */
  interfaces?: readonly string[]
  /** The network card's boot ROM asks for an address by DHCP; there is a lease after 5 to 6 s (`quickNetworkXml`). */
  bootFromNetwork?: boolean
}

/** What guests need, for `needing(…guestNeeds())`. */
export function guestNeeds(options: LibvirtdOptions = {}): Need[] {
  return [
    ...libvirtdNeeds(options),
    needs.tool('qemu-system-x86_64'),
    needs.library('libvirt/connection-driver/libvirt_driver_qemu.so'),
    needs.kernel('tap'),
  ]
}

/** `<interface type='network'>`, for attach, detach and update, and for `GuestOptions.interfaces`. */
export function interfaceXml(options: InterfaceOptions): string {
  const { network, mac, model = 'usb-net', alias, more = '' } = options
  return [
    `<interface type='network'>`,
    mac === undefined ? '' : `<mac address='${mac}'/>`,
    `<source network='${network}'/><model type='${model}'/>`,
    alias === undefined ? '' : `<alias name='${alias}'/>`,
    more,
    '</interface>',
  ].join('')
}

/** `<domain type='qemu'>`. `create` takes 0.5 s, a libvirtd's first 1 to 3 s; it idles without using the processor. */
export function guestXml(options: GuestOptions): string {
  const { name, uuid, network, mac, interfaces = [], bootFromNetwork = false } = options
  const card = network === undefined ? [] : [interfaceXml({
    network,
    ...mac === undefined ? {} : { mac },
    model: 'virtio',
    more: bootFromNetwork ? '' : `<rom enabled='no'/>`,
  })]
  return `
<domain type='qemu'>
  <name>${name}</name>
  ${uuid === undefined ? '' : `<uuid>${uuid}</uuid>`}
  <memory unit='MiB'>32</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    ${bootFromNetwork ? `<boot dev='network'/>` : ''}
  </os>
  <!-- With ACPI a running guest takes PCI devices too; it never lets them go. -->
  <features><acpi/></features>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <controller type='usb' model='qemu-xhci'/>
    <memballoon model='none'/>
    ${[...card, ...interfaces].join('\n    ')}
  </devices>
</domain>
`
}

/** `guestXml` in a file, for virsh; its path. */
export async function guestFile(folder: string, options: GuestOptions): Promise<string> {
  const path = join(folder, `${options.name}.xml`)
  await writeFile(path, guestXml(options))
  return path
}

/** A NAT network whose ports forward from the first moment; STP, libvirt's default, takes 4 s of a guest's time. */
export function quickNetworkXml(name: string, bridge: string, prefix = '192.168.150'): string {
  return `
<network>
  <name>${name}</name>
  <forward mode='nat'/>
  <bridge name='${bridge}' stp='off' delay='0'/>
  <ip address='${prefix}.1' netmask='255.255.255.0'>
    <dhcp><range start='${prefix}.2' end='${prefix}.254'/></dhcp>
  </ip>
</network>
`
}
