/** Security marks and the audit log. Sources: linux/netfilter/xt_SECMARK.h, xt_CONNSECMARK.h, xt_AUDIT.h. */
import { padding, u32, u8 } from '../../../netlink/codecs.ts'
import { struct } from '../../../netlink/table.ts'
import * as c from '../constants.ts'
import { extension, option, says, saysIf } from '../extension.ts'
import type { Extension } from '../extension.ts'
import { flag, oneOf, text } from '../values.ts'
import { fixedText } from '../xt.ts'

const auditTypes = { accept: c.XT_AUDIT_TYPE_ACCEPT, drop: c.XT_AUDIT_TYPE_DROP, reject: c.XT_AUDIT_TYPE_REJECT } as const
type AuditType = keyof typeof auditTypes
const auditNames = Object.keys(auditTypes) as AuditType[]
const auditOptions = { type: option(oneOf(...auditNames)) }

/** A record in the audit log. */
export const AUDIT: Extension<typeof auditOptions> = extension({
  name: 'AUDIT',
  options: auditOptions,
  layout: struct({ type: u8 }),
  check: given => (given.type === undefined ? ['type', auditOptions.type.kind.accepted] : undefined),
  write: ({ type }) => ({ type: auditTypes[type?.value ?? 'accept'] }),
  read({ type }) {
    const name = auditNames.find(each => auditTypes[each] === type)
    return name === undefined ? undefined : { type: says(name) }
  },
  list: ({ type }) => `AUDIT ${type?.value ?? ''}`,
})

const securityTables = ['mangle', 'security']
const connsecmarkOptions = { save: option(flag), restore: option(flag) }

/** Copies the security mark of a packet to its connection, or back. */
export const CONNSECMARK: Extension<typeof connsecmarkOptions> = extension({
  name: 'CONNSECMARK',
  options: connsecmarkOptions,
  tables: securityTables,
  layout: struct({ mode: u8 }),
  check: ({ save, restore }) => ((save === undefined) === (restore === undefined) ? ['save', 'either save or restore'] : undefined),
  write: ({ save }) => ({ mode: save === undefined ? c.CONNSECMARK_RESTORE : c.CONNSECMARK_SAVE }),
  read: ({ mode }) => (mode !== c.CONNSECMARK_SAVE && mode !== c.CONNSECMARK_RESTORE ? undefined
    : { save: saysIf(mode === c.CONNSECMARK_SAVE, true as const), restore: saysIf(mode === c.CONNSECMARK_RESTORE, true as const) }),
  list: ({ save }) => `CONNSECMARK ${save === undefined ? 'restore' : 'save'}`,
})

/** The tool prints a context as it is. */
const context = { ...text(c.SECMARK_SECCTX_MAX - 1), format: String }
const secmarkOptions = { selctx: option(context) }

/** SELinux's context for a packet. Revision 1: since Linux 5.13. */
export const SECMARK: Extension<typeof secmarkOptions> = extension({
  name: 'SECMARK',
  revision: 1,
  options: secmarkOptions,
  tables: securityTables,
  layout: struct({ mode: u8, context: fixedText(c.SECMARK_SECCTX_MAX), _: padding(3), _id: u32 }),
  check: given => (given.selctx === undefined ? ['selctx', context.accepted] : undefined),
  write: ({ selctx }) => ({ mode: c.SECMARK_MODE_SEL, context: selctx?.value }),
  read: ({ mode, context: value }) => (mode === c.SECMARK_MODE_SEL ? { selctx: says(value) } : undefined),
  list: ({ selctx }) => `SECMARK selctx ${selctx?.value ?? ''}`,
})
