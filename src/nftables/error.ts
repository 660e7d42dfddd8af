/** What the kernel says to a batch, in terms of the requests that it was made from. */
import { UnsupportedError } from '../errors.ts'
import type { VirbrError } from '../errors.ts'
import { NetlinkError } from '../netlink/error.ts'
import type { AnyRequest, Replies } from '../netlink/message.ts'
import { NFT_MSG_NEWCHAIN, NFT_MSG_NEWFLOWTABLE, NFT_MSG_NEWOBJ, NFT_MSG_NEWRULE, NFT_MSG_NEWTABLE } from './constants.ts'
import { messageType } from './messages.ts'

/** A batch that the kernel refused. Nothing of it has been done. */
export class FirewallError extends NetlinkError {
  static override readonly kind: symbol = Symbol.for('virbr.FirewallError')
  /** Index of the request that failed first; undefined: all were taken, and the commit of the whole failed. */
  readonly statement: number | undefined
  /** What else the kernel refused in the same batch, often because of the first. */
  readonly others: readonly { statement: number | undefined, error: NetlinkError }[]

  constructor(error: NetlinkError, statement: number | undefined, others: FirewallError['others']) {
    super(error.operation, error.errno, error.kernelMessage, error.attribute)
    this.statement = statement
    this.others = others
  }
}

/** CONFIG_* of expressions that a kernel may lack; it answers ENOENT to the rule then. */
const expressionOptions: Readonly<Record<string, string>> = {
  queue: 'CONFIG_NFT_QUEUE', fib: 'CONFIG_NFT_FIB_INET', ct: 'CONFIG_NFT_CT', log: 'CONFIG_NFT_LOG', limit: 'CONFIG_NFT_LIMIT',
  masq: 'CONFIG_NFT_MASQ', redir: 'CONFIG_NFT_REDIR', nat: 'CONFIG_NFT_NAT', tunnel: 'CONFIG_NFT_TUNNEL', quota: 'CONFIG_NFT_QUOTA',
  reject: 'CONFIG_NFT_REJECT (of the family: CONFIG_NFT_REJECT_IPV4, _INET, _NETDEV, CONFIG_NFT_BRIDGE_REJECT)', match: 'CONFIG_NFT_COMPAT',
  target: 'CONFIG_NFT_COMPAT', hash: 'CONFIG_NFT_HASH', xfrm: 'CONFIG_NFT_XFRM', socket: 'CONFIG_NFT_SOCKET', osf: 'CONFIG_NFT_OSF',
  tproxy: 'CONFIG_NFT_TPROXY', synproxy: 'CONFIG_NFT_SYNPROXY', dup: 'CONFIG_NFT_DUP_IPV4, _IPV6 or _NETDEV', fwd: 'CONFIG_NFT_FWD_NETDEV',
  numgen: 'CONFIG_NFT_NUMGEN', connlimit: 'CONFIG_NFT_CONNLIMIT', last: 'Linux 5.14', notrack: 'CONFIG_NFT_CT', inner: 'Linux 6.2',
}

const familyOptions: Readonly<Record<string, string>> = {
  ip: 'CONFIG_NF_TABLES_IPV4', ip6: 'CONFIG_NF_TABLES_IPV6', inet: 'CONFIG_NF_TABLES_INET', arp: 'CONFIG_NF_TABLES_ARP',
  bridge: 'CONFIG_NF_TABLES_BRIDGE', netdev: 'CONFIG_NF_TABLES_NETDEV',
}

/** The error of a batch: a feature that the kernel lacks by name, else a FirewallError. `statements`: as in PreparedBatch. */
export function batchError(requests: readonly AnyRequest[], statements: readonly number[], replies: Replies): VirbrError | undefined {
  const failed = requests.flatMap((request, index) => {
    const error = replies.errno(index) === 0 ? undefined : replies.errorOf(index)
    const statement = statements[index]
    return error === undefined ? [] : [{ request, error, statement: statement === undefined || statement < 0 ? undefined : statement }]
  })
  // What the commit itself says stands under the first message; what a request says tells more.
  const first = failed.find(({ statement }) => statement !== undefined) ?? failed[0]
  if (first === undefined) return undefined
  const others = failed.filter(each => each !== first).map(({ error, statement }) => ({ error, statement }))
  const error = new FirewallError(first.error, first.statement, others)
  const option = missingOption(first.request, first.error)
  return option === undefined ? error : new UnsupportedError(option, `${first.error.operation}: this kernel lacks ${option}`)
}

function missingOption(request: AnyRequest, { errnoName, attribute }: NetlinkError): string | undefined {
  const { type } = request
  const family = String((request.header as { family?: unknown }).family)
  if (type === messageType(NFT_MSG_NEWTABLE) && (errnoName === 'EAFNOSUPPORT' || errnoName === 'EOPNOTSUPP')) {
    return errnoName === 'EAFNOSUPPORT' ? familyOptions[family] : 'a table flag: owner needs Linux 5.12, persist 6.9'
  }
  if (errnoName !== 'ENOENT') return undefined
  if (type === messageType(NFT_MSG_NEWCHAIN) && attribute?.endsWith('type') === true) return 'CONFIG_NFT_NAT'
  if (type === messageType(NFT_MSG_NEWFLOWTABLE) && attribute !== 'table') return 'CONFIG_NF_FLOW_TABLE'
  if (type === messageType(NFT_MSG_NEWOBJ) && attribute === 'type') return `stateful objects of type ${String((request.attributes as { type?: unknown }).type)}`
  if (type !== messageType(NFT_MSG_NEWRULE)) return undefined
  const at = /^expressions\[(\d+)\]/.exec(attribute ?? '')?.[1]
  const { expressions = [] } = request.attributes as { expressions?: { name: string }[] }
  return at === undefined ? undefined : expressionOptions[expressions[Number(at)]?.name ?? '']
}
