/** What is written down of a network before the kernel is touched: enough to take it down again, whoever does it. */

export interface NetnsIdentity {
  /** As it was asked for; '' is the caller's own. */
  spec: string
  device: number
  inode: number
}

export interface NetworkRecord {
  version: 1
  name: string
  uuid: string
  /** The running configuration. */
  xml: string
  /** Name, index and MAC together: a bridge that differs in one of them is not ours. */
  bridge: { name: string, index: number, mac: string }
  netns: NetnsIdentity
  /** /proc/sys/kernel/random/boot_id */
  bootId: string
  dnsmasq: boolean
}

export function encodeRecord(record: NetworkRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`
}

/** Undefined for what is no whole record: written by a process that was killed while writing, before it did anything. */
export function decodeRecord(bytes: Uint8Array): NetworkRecord | undefined {
  try {
    const record = JSON.parse(Buffer.from(bytes).toString()) as NetworkRecord
    const { version, name, uuid, xml, bridge, netns, bootId } = record
    const texts = [name, uuid, xml, bridge.name, bridge.mac, netns.spec, bootId]
    const numbers = [bridge.index, netns.device, netns.inode]
    const whole = texts.every(text => typeof text === 'string') && numbers.every(number => typeof number === 'number')
    return version === 1 && whole ? record : undefined
  } catch {
    return undefined
  }
}
