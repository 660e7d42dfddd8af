/** Kinds without options of their own. Source: ip-link(8). */
import { attributes } from '../../netlink/table.ts'
import { linkKind } from './kind.ts'

export const dummy = linkKind({ options: attributes({}), config: 'CONFIG_DUMMY' })
export const ifb = linkKind({ options: attributes({}), config: 'CONFIG_IFB' })
/** Shows netlink messages to packet sockets. */
export const nlmon = linkKind({ options: attributes({}), config: 'CONFIG_NLMON' })
/** Keys and peers are set by wg(8). */
export const wireguard = linkKind({ options: attributes({}), config: 'CONFIG_WIREGUARD' })
