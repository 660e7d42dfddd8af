/** A specification of a link taken apart: what goes into the request that makes it, and what the request refers to. */
import { aBoolean, checkGiven, fieldsOf } from '../checks.ts'
import { InvalidArgumentError } from '../errors.ts'
import { linksNamed } from '../rtnetlink/kinds/given.ts'
import { kindOf, portTable } from '../rtnetlink/kinds/index.ts'
import type { LinkSpec as WireSpec } from '../rtnetlink/links.ts'
import { checkLinkName, checkLinkRef } from './link-ref.ts'
import type { LinkSpec, PeerSpec } from './links.ts'
import type { Netns } from './netns.ts'

/** The other end of a pair, if it is one. */
export function peerOf({ kind, veth, netkit }: LinkSpec): PeerSpec | undefined {
  const options = kind === 'veth' ? veth : kind === 'netkit' ? netkit : undefined
  return options === undefined ? undefined : fieldsOf(kind, options).peer
}

/** Without other links and namespaces, which are looked up. */
export function wireSpec(spec: LinkSpec): WireSpec {
  const { master: _master, netns: _netns, link: _link, linkNetns: _linkNetns, ...rest } = spec
  const { kind } = spec
  const peer = peerOf(spec)
  if (peer === undefined) return rest
  const { netns: _peerNetns, up, ...others } = fieldsOf(`${kind}.peer`, peer)
  checkLinkName(others.name, `${kind}.peer.name`)
  checkGiven(`${kind}.peer.up`, up, aBoolean)
  return { ...rest, [kind]: { ...spec[kind as 'veth' | 'netkit'], peer: others } }
}

/** A link stands on another if it is of a kind that does; it is a port of what it is put into; its peer is another. */
export function checkReferences(spec: LinkSpec): void {
  const { kind, name, netns, master, link, linkNetns, port } = spec
  const wants = kindOf(kind)?.link
  if (port !== undefined && master === undefined) throw new InvalidArgumentError('port', port, 'no options of a port, without master')
  const peer = peerOf(spec)
  if (peer?.name === name && peer.netns === netns) throw new InvalidArgumentError(`${kind}.peer.name`, name, 'another name than that of its other end')
  if (link !== undefined) checkLinkRef(link, 'link')
  if (wants === 'required' && link === undefined) throw new InvalidArgumentError('link', link, `the link that a ${kind} stands on: name or index`)
  if (wants === undefined && link !== undefined) throw new InvalidArgumentError('link', link, `nothing: a ${kind} stands on no other link`)
  if (link === undefined && linkNetns !== undefined) throw new InvalidArgumentError('linkNetns', linkNetns, 'nothing, without link')
}

export interface Reference {
  field: string
  ref: string | number
  /** Where it is. */
  netns: Netns | undefined
  /** The link cannot be made before the other is there; otherwise it is only put into it. */
  stands: boolean
}

/** Other links that a link needs: its master, where it is born itself; what it stands on, and what its options name. */
export function referencesOf(spec: LinkSpec): Reference[] {
  const { kind, master, netns, link, linkNetns, port } = spec
  if (master === undefined && link === undefined && kind === 'veth') return []
  const options = (spec as unknown as Record<string, object | undefined>)[kind]
  return [
    ...(master === undefined ? [] : [{ field: 'master', ref: master, netns, stands: false }]),
    ...(link === undefined ? [] : [{ field: 'link', ref: link, netns: linkNetns, stands: true }]),
    ...linksNamed(kind, options).map(([field, ref]) => ({ field, ref, netns: undefined, stands: true })),
    ...linksNamed('port', port, portTable('bridge')).map(([field, ref]) => ({ field, ref, netns, stands: true })),
  ]
}
