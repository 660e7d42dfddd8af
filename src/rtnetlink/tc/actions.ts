/** What filters do with packets: police, mirred, gact. Source: tc-police(8), tc-mirred(8), tc-actions(8), linux/pkt_cls.h. */
import { check, fieldsOf, isKeyOf, oneOf } from '../../checks.ts'
import { InvalidArgumentError, checkFields } from '../../errors.ts'
import { raw, s32, string, u32, u64 } from '../../netlink/codecs.ts'
import type { Codec } from '../../netlink/codecs.ts'
import { attributes, dependent, struct, walkAttributes } from '../../netlink/table.ts'
import type { TableValues } from '../../netlink/table.ts'
import * as c from '../constants.ts'
import { statisticsAttributes, statisticsOf, structCodec } from './message.ts'
import type { TcStatistics } from './message.ts'
import { checkKind } from './qdiscs.ts'
import { checkBytes, rateOf, ratespec, sizeOf, ticksOf } from './rates.ts'

/** What becomes of a packet, as tc(8) names it. */
const verdicts = {
  ok: c.TC_ACT_OK, reclassify: c.TC_ACT_RECLASSIFY, drop: c.TC_ACT_SHOT, pipe: c.TC_ACT_PIPE, stolen: c.TC_ACT_STOLEN,
  queued: c.TC_ACT_QUEUED, repeat: c.TC_ACT_REPEAT, redirect: c.TC_ACT_REDIRECT, trap: c.TC_ACT_TRAP, continue: c.TC_ACT_UNSPEC,
} as const
export type Verdict = keyof typeof verdicts

/** Rates in bytes a second, sizes in bytes. */
export interface Police {
  rate?: number | undefined
  /** With `rate`. */
  burst?: number | undefined
  /** Largest packet; default 2047. */
  mtu?: number | undefined
  peakrate?: number | undefined
  /** Goes by the kernel's estimate of the rate. */
  avrate?: number | undefined
  /** What becomes of packets above the rate. Default: `reclassify`, as with tc. */
  exceed?: Verdict | number | undefined
  /** What becomes of the others. Default: `ok`. */
  conform?: Verdict | number | undefined
}

export interface PoliceAction extends Police { kind: 'police' }

/** `action` redirect takes packets away, mirror copies them. */
export interface MirredAction {
  kind: 'mirred'
  action: 'redirect' | 'mirror'
  /** Whether they leave by the link, or come in there. Default: egress. */
  direction?: 'egress' | 'ingress' | undefined
  /** Of the link. */
  index: number
}

export interface GactAction { kind: 'gact', action: Verdict | number }

export type Action = PoliceAction | MirredAction | GactAction

/** Actions as the kernel shows them; of a kind that virbr does not know, its name alone. */
export type ShownAction = (Action | { kind: string }) & { statistics?: TcStatistics | undefined }

const spec = structCodec(ratespec)
const rateField = { ...spec, size: ratespec.size }

export const policeAttributes = attributes({
  parameters: [c.TCA_POLICE_TBF, structCodec(struct({
    index: u32, action: s32, limit: u32, burst: u32, mtu: u32, rate: rateField, peakrate: rateField, refcnt: s32, bindcnt: s32, capab: u32,
  }))],
  rateTable: [c.TCA_POLICE_RATE, raw],
  rate64: [c.TCA_POLICE_RATE64, u64],
  peakTable: [c.TCA_POLICE_PEAKRATE, raw],
  peakrate64: [c.TCA_POLICE_PEAKRATE64, u64],
  avrate: [c.TCA_POLICE_AVRATE, u32],
  result: [c.TCA_POLICE_RESULT, s32],
  times: [c.TCA_POLICE_TM, raw],
})
type PoliceValues = TableValues<typeof policeAttributes>

const generic = { index: u32, capab: u32, action: s32, refcnt: s32, bindcnt: s32 }
const mirredAttributes = attributes({
  parameters: [c.TCA_MIRRED_PARMS, structCodec(struct({ ...generic, way: s32, ifindex: u32 }))],
  times: [c.TCA_MIRRED_TM, raw],
})
const gactAttributes = attributes({ parameters: [c.TCA_GACT_PARMS, structCodec(struct(generic))], times: [c.TCA_GACT_TM, raw] })
const ways = {
  'egress redirect': c.TCA_EGRESS_REDIR, 'egress mirror': c.TCA_EGRESS_MIRROR,
  'ingress redirect': c.TCA_INGRESS_REDIR, 'ingress mirror': c.TCA_INGRESS_MIRROR,
} as const

const actionTables = { police: policeAttributes, mirred: mirredAttributes, gact: gactAttributes }
const actionAttributes = attributes({
  kind: [c.TCA_ACT_KIND, string(15)],
  options: [c.TCA_ACT_OPTIONS, dependent('kind', actionTables as unknown as Record<string, Codec<object>>)],
  statistics: [c.TCA_ACT_STATS, statisticsAttributes],
  id: [c.TCA_ACT_INDEX, u32],
}, { keepsRest: false })
type ActionValues = TableValues<typeof actionAttributes>

/** A list whose attributes have their place in it as type, from 1. */
export const actionList: Codec<ActionValues[]> = {
  nested: true,
  encode(writer, actions) {
    writer.enter()
    for (const [position, action] of actions.entries()) {
      writer.field = position
      const start = writer.beginAttribute(position + 1, false)
      actionAttributes.encode(writer, action)
      writer.endAttribute(start)
    }
    writer.leave()
  },
  decode: (bytes, start, end) => [...walkAttributes(bytes, start, end)].map(([, from, to]) => actionAttributes.decode(bytes, from, to)),
}

export function actionsOf(actions: readonly Action[] | undefined): ActionValues[] | undefined {
  if (actions === undefined) return undefined
  if (!Array.isArray(actions) || actions.length === 0) throw new InvalidArgumentError('actions', actions, 'an array of actions')
  return (actions as readonly Action[]).map((action, position) => {
    checkKind(fieldsOf(`actions[${position}]`, action), ['police', 'mirred', 'gact'], 'an action')
    if (action.kind === 'police') {
      const { kind, ...police } = action
      return { kind, options: policeOf(police, `actions[${position}]`) }
    }
    return action.kind === 'mirred' ? { kind: action.kind, options: mirredOf(action) } : { kind: action.kind, options: gactOf(action) }
  })
}

function mirredOf(mirred: MirredAction): object {
  checkFields(mirred, ['kind', 'action', 'direction', 'index'], 'an action of kind mirred')
  const { action, direction = 'egress', index } = mirred
  check('direction', direction, oneOf(['egress', 'ingress']))
  const way = typeof action === 'string' ? `${direction} ${action}` : undefined
  if (!isKeyOf(ways, way)) throw new InvalidArgumentError('action', action, 'redirect or mirror, with the direction egress or ingress')
  // As tc has it: what is redirected is gone, what is mirrored goes on.
  return { parameters: { action: action === 'redirect' ? c.TC_ACT_STOLEN : c.TC_ACT_PIPE, way: ways[way], ifindex: index } }
}

function gactOf(gact: GactAction): object {
  checkFields(gact, ['kind', 'action'], 'an action of kind gact')
  return { parameters: { action: verdictNumber(gact.action, 'action') } }
}

function verdictNumber(verdict: unknown, field: string): number {
  if (typeof verdict === 'string' && Object.hasOwn(verdicts, verdict)) return verdicts[verdict as Verdict]
  if (Number.isInteger(verdict)) return verdict as number
  throw new InvalidArgumentError(field, verdict, `one of ${Object.keys(verdicts).join(', ')}`)
}

function verdictName(number: number | undefined): Verdict | number {
  return (Object.keys(verdicts) as Verdict[]).find(name => verdicts[name] === number) ?? number ?? 0
}

export function policeOf(police: Police, field = 'police'): PoliceValues {
  checkFields(police, ['rate', 'burst', 'mtu', 'peakrate', 'avrate', 'exceed', 'conform'], 'police')
  const { rate, burst, mtu = 0, peakrate, avrate, exceed = 'reclassify', conform } = police
  if (rate === undefined && avrate === undefined) throw new InvalidArgumentError(`${field}.rate`, rate, 'a rate, or an avrate')
  if (rate !== undefined) {
    checkBytes(`${field}.rate`, rate)
    checkBytes(`${field}.burst`, burst, { max: 0xffffffff })
  }
  checkBytes(`${field}.mtu`, mtu, { min: 0, max: 0xffffff })
  if (peakrate !== undefined) checkBytes(`${field}.peakrate`, peakrate)
  const low = rate === undefined ? undefined : rateOf(rate, mtu === 0 ? 2047 : mtu)
  const high = peakrate === undefined ? undefined : rateOf(peakrate, mtu === 0 ? 2047 : mtu)
  return {
    parameters: {
      action: verdictNumber(exceed, `${field}.exceed`), mtu, burst: rate === undefined ? 0 : ticksOf(rate, burst ?? 0),
      ...(low === undefined ? {} : { rate: low.spec }), ...(high === undefined ? {} : { peakrate: high.spec }),
    },
    rateTable: low?.table, rate64: low?.rate64, peakTable: high?.table, peakrate64: high?.rate64, avrate,
    result: conform === undefined ? undefined : verdictNumber(conform, `${field}.conform`),
  }
}

export function readPolice({ parameters, rate64, peakrate64, avrate, result }: PoliceValues): Police {
  const rate = rate64 === undefined ? parameters?.rate?.rate ?? 0 : Number(rate64)
  const peakrate = peakrate64 === undefined ? parameters?.peakrate?.rate ?? 0 : Number(peakrate64)
  return {
    ...(rate === 0 ? {} : { rate, burst: sizeOf(rate, parameters?.burst ?? 0) }),
    mtu: parameters?.mtu,
    ...(peakrate === 0 ? {} : { peakrate }), ...(avrate === undefined ? {} : { avrate }),
    exceed: verdictName(parameters?.action),
    ...(result === undefined ? {} : { conform: verdictName(result) }),
  }
}

export function readActions(actions: ActionValues[]): ShownAction[] {
  return actions.map(({ kind = '', options = {}, statistics }) => ({ ...readAction(kind, options), statistics: statisticsOf(statistics) }))
}

function readAction(kind: string, options: object): Action | { kind: string } {
  if (kind === 'police') return { kind, ...readPolice(options as PoliceValues) }
  if (kind === 'gact') return { kind, action: verdictName((options as TableValues<typeof gactAttributes>).parameters?.action) }
  if (kind !== 'mirred') return { kind }
  const { parameters } = options as TableValues<typeof mirredAttributes>
  const way = (Object.keys(ways) as (keyof typeof ways)[]).find(name => ways[name] === parameters?.way) ?? 'egress redirect'
  const [direction, action] = way.split(' ') as ['egress' | 'ingress', 'redirect' | 'mirror']
  return { kind, action, direction, index: parameters?.ifindex ?? 0 }
}
